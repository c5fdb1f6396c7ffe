package org.sparkformer.app.command;

import java.util.List;
import org.sparkformer.data.Corpus;
import org.sparkformer.data.InputFormat;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Text to read. */
final class CorpusOptions {
  @Parameters(
      paramLabel = "INPUT",
      arity = "1..*",
      description =
          "Text, JSONL or Parquet files, globs or folders, on any Hadoop file system. Quote globs"
              + " that Hadoop is to expand.")
  private List<String> inputs;

  @Option(
      names = "--format",
      defaultValue = "AUTO",
      description =
          "How documents stand in a file: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}, by"
              + " the file's name; a text file is one document unless LINES is given).")
  private InputFormat format;

  @Option(
      names = "--text-column",
      paramLabel = "NAME",
      defaultValue = Corpus.DEFAULT_FIELD,
      description = "Parquet column or JSON field that holds the text (default: ${DEFAULT-VALUE}).")
  private String column;

  Corpus corpus() {
    return new Corpus(inputs, format, column);
  }
}
