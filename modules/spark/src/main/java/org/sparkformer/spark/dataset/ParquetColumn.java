package org.sparkformer.spark.dataset;

import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;

/** One text column of a Parquet file, by its path of field names. */
record ParquetColumn(MessageType projection, List<String> path) {

  /**
   * Finds a column in a file.
   *
   * @param name field names joined by dots
   * @throws IOException if the file is no Parquet, has no such column, or it holds no text
   */
  static ParquetColumn find(Configuration configuration, Path file, String name)
      throws IOException {
    MessageType schema = schema(configuration, file);
    List<String> path = List.of(name.split("\\."));
    Type type = project(schema, path);
    if (type == null) {
      throw new IOException(
          "no text column '%s'; the columns are %s"
              .formatted(name, schema.getFields().stream().map(Type::getName).toList()));
    }
    return new ParquetColumn(new MessageType(schema.getName(), type), path);
  }

  private static MessageType schema(Configuration configuration, Path file) throws IOException {
    try (ParquetFileReader reader =
        ParquetFileReader.open(HadoopInputFile.fromPath(file, configuration))) {
      return reader.getFileMetaData().getSchema();
    } catch (RuntimeException noParquet) {
      throw new IOException(noParquet.getMessage(), noParquet);
    }
  }

  /**
   * The field of a group that leads to the column, with nothing else in it; null if there is none.
   */
  private static Type project(GroupType group, List<String> path) {
    if (!group.containsField(path.get(0))) {
      return null;
    }
    Type field = group.getType(path.get(0));
    if (field.isRepetition(Type.Repetition.REPEATED)) {
      return null;
    }
    if (path.size() == 1) {
      boolean text =
          field.isPrimitive()
              && field.asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.BINARY;
      return text ? field : null;
    }
    Type inner =
        field.isPrimitive() ? null : project(field.asGroupType(), path.subList(1, path.size()));
    return inner == null ? null : field.asGroupType().withNewFields(inner);
  }

  /** The column's bytes in a row; null where the row has none. */
  byte[] bytes(Group row) {
    Group group = row;
    for (String name : path.subList(0, path.size() - 1)) {
      if (group.getFieldRepetitionCount(name) == 0) {
        return null;
      }
      group = group.getGroup(name, 0);
    }
    String last = path.get(path.size() - 1);
    return group.getFieldRepetitionCount(last) == 0 ? null : group.getBinary(last, 0).getBytes();
  }
}
