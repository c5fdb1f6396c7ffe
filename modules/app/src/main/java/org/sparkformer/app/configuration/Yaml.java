package org.sparkformer.app.configuration;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import org.sparkformer.training.configuration.RunConfiguration;

/** The one YAML dialect of configurations: strict on types, duplicates and missing values. */
public final class Yaml {
  private Yaml() {}

  static YAMLMapper mapper() {
    return YAMLMapper.builder()
        .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
        .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
        .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
        .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
        // The architecture is a key like any, no tag.
        .disable(YAMLGenerator.Feature.USE_NATIVE_TYPE_ID)
        .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
        .build();
  }

  /** The resolved configuration as a file that {@link ConfigurationReader} reads back the same. */
  public static String write(RunConfiguration configuration) {
    try {
      return mapper()
          .setDefaultPropertyInclusion(JsonInclude.Include.NON_NULL)
          .writeValueAsString(configuration);
    } catch (com.fasterxml.jackson.core.JsonProcessingException impossible) {
      throw new IllegalStateException("records of plain values always serialise", impossible);
    }
  }
}
