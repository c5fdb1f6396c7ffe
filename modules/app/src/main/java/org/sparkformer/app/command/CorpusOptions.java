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
      paramLabel = "FORMAT",
      defaultValue = "AUTO",
      description =
          "What the files hold: TEXT, one document a file; LINES, one document a line; JSONL or"
              + " PARQUET, one a row; AUTO goes by each file's name (default: ${DEFAULT-VALUE}).")
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
