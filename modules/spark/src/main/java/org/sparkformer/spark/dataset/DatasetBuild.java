package org.sparkformer.spark.dataset;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.sparkformer.data.CorpusSlice;
import org.sparkformer.data.DatasetManifest;
import org.sparkformer.data.DatasetWriter;
import org.sparkformer.data.EncodedSlice;
import org.sparkformer.data.SliceCounts;
import org.sparkformer.data.SliceEncoder;
import org.sparkformer.data.SliceReader;
import org.sparkformer.data.SplitPlan;
import org.sparkformer.data.Tokenizer;
import org.sparkformer.data.Tokenizers;

/**
 * Builds a token dataset from a corpus: one Spark job counts the documents of each slice, a second
 * tokenizes each slice into its own shards, the driver writes the manifest. Only counts reach the
 * driver. The files are the same, byte for byte, whatever the number of executors.
 */
public final class DatasetBuild {
  private final JavaSparkContext spark;
  private final DatasetBuildRequest request;
  private final CorpusJob job;

  private DatasetBuild(JavaSparkContext spark, DatasetBuildRequest request, CorpusJob job) {
    this.spark = spark;
    this.request = request;
    this.job = job;
  }

  /**
   * Builds the dataset.
   *
   * @throws java.io.FileNotFoundException if an input matches nothing
   * @throws IllegalArgumentException if the corpus is empty, or the output holds a dataset that is
   *     not to be overwritten
   * @throws IOException if an input cannot be read, or changes while it is
   */
  public static DatasetBuildResult run(JavaSparkContext spark, DatasetBuildRequest request)
      throws IOException {
    CorpusJob job = CorpusJob.plan(spark, request.corpus());
    return new DatasetBuild(spark, request, job).run();
  }

  private DatasetBuildResult run() throws IOException {
    long start = System.nanoTime();
    List<SliceCounts> counts = count();
    SliceCounts total = counts.stream().reduce(SliceCounts.NONE, SliceCounts::plus);
    SplitPlan plan = SplitPlan.of(total, request.validationFraction());
    DatasetWriter writer =
        DatasetWriter.create(spark.hadoopConfiguration(), request.output(), request.overwrite());
    List<EncodedSlice> encoded = encode(writer.suffix(), plan, counts);
    DatasetManifest manifest = writer.commit(request.tokenizer(), encoded, total);
    double seconds = (System.nanoTime() - start) * 1e-9;
    return new DatasetBuildResult(
        request.output(), manifest, total.documents(), total.characters(), seconds);
  }

  private List<SliceCounts> count() throws IOException {
    CorpusJob.Reading reading = job.reading();
    List<long[]> counts =
        job.run("count documents", () -> job.rdd().map(slice -> count(reading, slice)).collect());
    return counts.stream().map(n -> new SliceCounts(n[0], n[1], n[2], n[3])).toList();
  }

  private static long[] count(CorpusJob.Reading reading, String slice) throws IOException {
    try (SliceReader reader = reading.open(slice)) {
      SliceCounts counts = SliceCounts.of(reader);
      return new long[] {
        counts.documents(),
        counts.emptyDocuments(),
        counts.characters(),
        counts.replacedCharacters()
      };
    }
  }

  private List<EncodedSlice> encode(String suffix, SplitPlan plan, List<SliceCounts> counts)
      throws IOException {
    CorpusJob.Reading reading = job.reading();
    long[] firstDocuments = firstDocuments(counts);
    Output output = new Output(request.output(), suffix);
    Broadcast<String> tokenizer = spark.broadcast(request.tokenizer().toJson());
    try {
      List<String> encoded =
          job.run(
              "tokenize",
              () ->
                  job.rdd()
                      .map(slice -> encode(reading, slice, output, tokenizer, plan, firstDocuments))
                      .collect());
      return verified(encoded.stream().map(EncodedSlice::parse).toList(), counts);
    } finally {
      tokenizer.destroy();
    }
  }

  /** Where the shards come to lie, and what their names end with. */
  private record Output(String folder, String suffix) implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  private static String encode(
      CorpusJob.Reading reading,
      String json,
      Output output,
      Broadcast<String> tokenizer,
      SplitPlan plan,
      long[] firstDocuments)
      throws IOException {
    CorpusSlice slice = CorpusSlice.parse(json);
    Tokenizer parsed = Tokenizers.parse(tokenizer.value(), "the broadcast tokenizer");
    SliceEncoder encoder =
        new SliceEncoder(
            reading.configuration().value(), output.folder(), output.suffix(), parsed, plan);
    String attempt = Long.toString(TaskContext.get().taskAttemptId());
    try (SliceReader reader = reading.open(slice)) {
      return encoder.encode(slice.index(), firstDocuments[slice.index()], reader, attempt).toJson();
    }
  }

  /** For each slice the number, among all documents with text, of its first. */
  private static long[] firstDocuments(List<SliceCounts> counts) {
    long[] first = new long[counts.size()];
    for (int i = 1; i < first.length; i++) {
      first[i] = first[i - 1] + counts.get(i - 1).documents();
    }
    return first;
  }

  private List<EncodedSlice> verified(List<EncodedSlice> encoded, List<SliceCounts> counts)
      throws IOException {
    List<EncodedSlice> verified = new ArrayList<>();
    for (EncodedSlice slice : encoded) {
      long expected = counts.get(slice.index()).documents();
      if (slice.documents() != expected) {
        throw new IOException(
            "the input changed while it was read: %s held %,d documents, then %,d; build again"
                .formatted(
                    job.slices().get(slice.index()).parts().get(0).path(),
                    expected,
                    slice.documents()));
      }
      verified.add(slice);
    }
    return verified;
  }
}
