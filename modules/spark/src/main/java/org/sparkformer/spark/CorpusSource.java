package org.sparkformer.spark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkformer.data.Corpus;
import org.sparkformer.data.CorpusFile;
import org.sparkformer.data.CorpusFiles;
import org.sparkformer.data.HadoopFiles;
import org.sparkformer.data.InputFormat;
import org.sparkformer.data.Tokenizers;
import org.sparkformer.spark.dataset.CorpusDigest;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.Documents;

/**
 * Everything that a dataset is made from.
 *
 * @param data the configuration's section
 * @param corpus the text
 * @param largestVocabulary most tokens that are accepted; for {@code bpe} and {@code masked-bpe}
 *     the number to learn
 */
record CorpusSource(DataConfiguration data, Corpus corpus, int largestVocabulary) {
  private static final String CHARACTERS = "char";

  /** Tokenizers that learn as many tokens as the model has. */
  private static final Set<String> BYTE_PAIRS = Set.of("bpe", "masked-bpe");

  /** Files that say themselves where a document ends. */
  private static final Pattern STRUCTURED =
      Pattern.compile(".*\\.(jsonl|ndjson|parquet)(\\.\\w+)?", Pattern.CASE_INSENSITIVE);

  static CorpusSource of(DataConfiguration data, OptionalInt vocabularySize) {
    if (BYTE_PAIRS.contains(data.tokenizer()) && vocabularySize.isEmpty()) {
      throw new IllegalArgumentException(
          "model.vocab_size is missing: data.tokenizer %s learns as many tokens as it says"
              .formatted(data.tokenizer()));
    }
    List<String> inputs = data.inputs();
    boolean lines =
        data.documents() == Documents.LINES
            && inputs.stream().noneMatch(input -> STRUCTURED.matcher(input).matches());
    Corpus corpus =
        new Corpus(inputs, lines ? InputFormat.LINES : InputFormat.AUTO, data.textColumn());
    return new CorpusSource(data, corpus, vocabularySize.orElse(Integer.MAX_VALUE));
  }

  String tokenizer() {
    return data.tokenizer();
  }

  /**
   * SHA-256 over the names, sizes and times of the files, and over all that decides how they are
   * cut and encoded. Reads none of them.
   */
  String stamp(Configuration hadoop) throws IOException {
    List<String> stamps = new ArrayList<>();
    for (CorpusFile file : CorpusFiles.list(hadoop, corpus)) {
      stamps.add(stamp(hadoop, file.path()) + " " + file.format());
    }
    return sha256(hadoop, stamps);
  }

  /** As {@link #stamp}, over what is in the files instead of their times: reads all of them. */
  String content(JavaSparkContext spark) throws IOException {
    List<String> files = new ArrayList<>(CorpusDigest.of(spark, corpus));
    files.add(corpus.format().toString());
    return sha256(spark.hadoopConfiguration(), files);
  }

  private String sha256(Configuration hadoop, List<String> files) throws IOException {
    StringBuilder text = new StringBuilder();
    files.forEach(file -> text.append(file).append('\n'));
    text.append(tokenizerStamp(hadoop)).append('\n');
    text.append(data.textColumn()).append('\n').append(data.validationFraction());
    try {
      byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java run time lacks SHA-256", e);
    }
  }

  private String tokenizerStamp(Configuration hadoop) throws IOException {
    if (BYTE_PAIRS.contains(tokenizer())) {
      return tokenizer() + " " + largestVocabulary;
    }
    return switch (tokenizer()) {
      case CHARACTERS, Tokenizers.GPT2 -> tokenizer();
      default -> Tokenizers.load(hadoop, tokenizer()).digest();
    };
  }

  private static String stamp(Configuration hadoop, String file) throws IOException {
    Path path = new Path(file);
    var status = HadoopFiles.of(path, hadoop).getFileStatus(path);
    return "%s %d %d".formatted(file, status.getLen(), status.getModificationTime());
  }
}
