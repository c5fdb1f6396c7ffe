package org.sparkformer.spark.dataset;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkformer.data.Corpus;
import org.sparkformer.data.CorpusFile;
import org.sparkformer.data.CorpusFiles;
import org.sparkformer.data.HadoopFiles;

/** What the files of a corpus hold, whatever their times say: a Spark job that reads them once. */
public final class CorpusDigest {
  private static final int FILES_A_TASK = 16;
  private static final int BUFFER_BYTES = 1 << 20;

  private CorpusDigest() {}

  /**
   * For each file its path and the SHA-256 of its bytes, in the order of {@link CorpusFiles}.
   *
   * @throws IOException if a file cannot be read
   */
  public static List<String> of(JavaSparkContext spark, Corpus corpus) throws IOException {
    List<String> paths =
        CorpusFiles.list(spark.hadoopConfiguration(), corpus).stream()
            .map(CorpusFile::path)
            .toList();
    SerializableConfiguration hadoop = new SerializableConfiguration(spark.hadoopConfiguration());
    int tasks = Math.max(spark.defaultParallelism(), paths.size() / FILES_A_TASK);
    return CorpusJob.plan(spark, corpus)
        .run(
            "compare the text with that of its dataset",
            () ->
                spark
                    .parallelize(paths, Math.max(1, Math.min(tasks, paths.size())))
                    .map(path -> path + " " + sha256(hadoop.value(), path))
                    .collect());
  }

  private static String sha256(Configuration hadoop, String file) throws IOException {
    Path path = new Path(file);
    MessageDigest digest = sha256();
    byte[] buffer = new byte[BUFFER_BYTES];
    try (InputStream stream = HadoopFiles.of(path, hadoop).open(path)) {
      for (int count = stream.read(buffer); count >= 0; count = stream.read(buffer)) {
        digest.update(buffer, 0, count);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java run time lacks SHA-256", e);
    }
  }
}
