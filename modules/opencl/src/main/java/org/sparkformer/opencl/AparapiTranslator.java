package org.sparkformer.opencl;

import com.aparapi.Config;
import com.aparapi.Kernel;
import com.aparapi.internal.exception.AparapiException;
import com.aparapi.internal.model.ClassModel;
import com.aparapi.internal.model.ClassModel.ClassModelField;
import com.aparapi.internal.model.Entrypoint;
import com.aparapi.internal.writer.KernelWriter;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.sparkformer.tensor.ops.Operation;

/**
 * The definition of an operation as OpenCL C, translated from its class file by Aparapi.
 *
 * <p>Two things are added to Aparapi's text: a {@code long first_<field>} argument for each array,
 * so that tensors may start at any element of a buffer, and a {@code long workItems} that stops
 * work-items beyond the last, so that work-groups may have a fixed size.
 */
final class AparapiTranslator {
  private static final Logger APARAPI_LOG = Logger.getLogger(Config.getLoggerName());

  static {
    // Aparapi 3.0.2 warns of every class file attribute newer than Java 8; they do no harm.
    APARAPI_LOG.setLevel(Level.SEVERE);
  }

  /** As in Java: no product and sum become one operation. */
  private static final String EXACT = "#pragma OPENCL FP_CONTRACT OFF\n";

  private static final String LAST_PARAMETER = "   int passid\n){";
  private static final String LAST_ASSIGNMENT = "   this->passid = passid;\n";

  private AparapiTranslator() {}

  /**
   * OpenCL C whose kernel {@code run} takes the fields' values in order, then {@code passid}
   * (unused), then {@code workItems}, then the first element of each array field in order.
   *
   * @param fields names in the order of the arguments
   */
  record Translation(KernelSource source, List<String> fields) {}

  /**
   * @throws OpenClException if the definition uses Java that Aparapi does not translate
   */
  static Translation translate(Operation operation) {
    String name = operation.getClass().getSimpleName();
    Kernel kernel = operation.definition();
    try {
      Entrypoint entry =
          ClassModel.createClassModel(kernel.getClass()).getEntrypoint("run", kernel);
      List<ClassModelField> fields = entry.getReferencedClassModelFields();
      String text = EXACT + withOffsets(KernelWriter.writeToString(entry), fields);
      return new Translation(
          new KernelSource("definition of " + name, text),
          fields.stream().map(ClassModelField::getName).toList());
    } catch (AparapiException e) {
      throw new OpenClException("Aparapi cannot translate the definition of " + name, e);
    }
  }

  private static String withOffsets(String text, List<ClassModelField> fields) {
    StringBuilder parameters = new StringBuilder("   int passid,\n   long workItems");
    String result = text;
    for (ClassModelField field : fields) {
      if (field.getDescriptor().startsWith("[")) {
        String name = field.getName();
        parameters.append(",\n   long first_").append(name);
        result =
            replaceOnce(
                result,
                "   this->%s = %s;\n".formatted(name, name),
                "   this->%s = %s + first_%s;\n".formatted(name, name, name));
      }
    }
    result = replaceOnce(result, LAST_PARAMETER, parameters + "\n){");
    return replaceOnce(
        result,
        LAST_ASSIGNMENT,
        LAST_ASSIGNMENT + "   if (get_global_id(0) >= workItems) return;\n");
  }

  private static String replaceOnce(String text, String part, String replacement) {
    int at = text.indexOf(part);
    if (at < 0 || text.indexOf(part, at + 1) >= 0) {
      throw new OpenClException(
          "Aparapi's text does not hold '" + part.trim() + "' once:\n" + text);
    }
    return text.substring(0, at) + replacement + text.substring(at + part.length());
  }
}
