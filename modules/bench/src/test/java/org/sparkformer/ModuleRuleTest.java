package org.sparkformer;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture;
import java.io.ObjectInputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Dependencies point one way, one module knows Spark and one an OpenCL host API. Here, because this
 * is the one module that sees all others.
 */
class ModuleRuleTest {
  /** What each module may use, in the order of the design. */
  private static final Map<String, List<String>> ALLOWED =
      Map.of(
          "tensor", List.of(),
          "opencl", List.of("tensor"),
          "models", List.of("tensor"),
          "data", List.of("tensor"),
          "collective", List.of(),
          "training", List.of("tensor", "models", "data", "collective"),
          "spark", List.of("tensor", "opencl", "models", "data", "collective", "training"),
          "app", List.of("tensor", "opencl", "models", "data", "collective", "training", "spark"));

  private static JavaClasses classes;

  @BeforeAll
  static void readClasses() {
    classes =
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("org.sparkformer");
  }

  @Test
  void everyModuleIsLookedAt() {
    for (String module : ALLOWED.keySet()) {
      assertFalse(
          classes.that(resideInAPackage("org.sparkformer." + module + "..")).isEmpty(), module);
    }
  }

  @Test
  void onlyTheSparkModuleImportsSpark() {
    onlyIn("spark", "org.apache.spark..");
  }

  @Test
  void onlyTheOpenclModuleImportsAHostApi() {
    onlyIn("opencl", "org.lwjgl..");
  }

  /** What comes from a file or a peer is never Java's own serialised objects. */
  @Test
  void nothingDeserialisesJavaObjects() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .areAssignableTo(ObjectInputStream.class)
        .orShould()
        .dependOnClassesThat()
        .haveNameMatching(".*(JavaSerializer|SerializationUtils|XMLDecoder|ObjectInputFilter).*")
        .check(classes);
  }

  @Test
  void dependenciesPointDownTheTableAndNeverUp() {
    LayeredArchitecture layers =
        layeredArchitecture().consideringOnlyDependenciesInLayers().withOptionalLayers(true);
    for (String module : ALLOWED.keySet()) {
      layers = layers.layer(module).definedBy("org.sparkformer." + module + "..");
    }
    for (Map.Entry<String, List<String>> module : ALLOWED.entrySet()) {
      List<String> used = new ArrayList<>(module.getValue());
      layers =
          used.isEmpty()
              ? layers.whereLayer(module.getKey()).mayNotAccessAnyLayer()
              : layers.whereLayer(module.getKey()).mayOnlyAccessLayers(used.toArray(String[]::new));
    }
    layers.check(classes);
  }

  private static void onlyIn(String module, String library) {
    noClasses()
        .that()
        .resideOutsideOfPackage("org.sparkformer." + module + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(library)
        .check(classes);
  }
}
