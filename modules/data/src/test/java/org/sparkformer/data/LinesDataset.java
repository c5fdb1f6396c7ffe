package org.sparkformer.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;

/** A dataset of several shards, of lines that differ by their number. */
final class LinesDataset {
  static final Tokenizer BYTES = new BpeTokenizer(BpeTrainer.train(List.of(), 257, 1));

  private LinesDataset() {}

  /** 300 lines in slices of 1,000 bytes: some twenty shards a split. */
  static String build(Configuration configuration, Path folder) throws IOException {
    StringBuilder text = new StringBuilder();
    IntStream.range(0, 300).forEach(i -> text.append("line ").append(i).append(" of the text\n"));
    Path input = Files.writeString(folder.resolve("lines.txt"), text);
    Corpus corpus = new Corpus(List.of(input.toString()), InputFormat.LINES, "text");
    String output = folder.resolve("dataset").toString();
    LocalDataset.build(configuration, corpus, output, BYTES, 1000);
    return output;
  }
}
