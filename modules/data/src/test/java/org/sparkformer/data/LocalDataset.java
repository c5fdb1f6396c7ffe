package org.sparkformer.data;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Builds a dataset in this process, slice by slice, as the Spark job does with tasks. */
final class LocalDataset {
  private LocalDataset() {}

  /**
   * Where a dataset comes to lie.
   *
   * @param folder may hold a dataset, which is replaced
   */
  record Place(FileSystem fileSystem, Path folder) {}

  static DatasetManifest build(
      Configuration configuration,
      Corpus corpus,
      String output,
      Tokenizer tokenizer,
      long sliceBytes)
      throws IOException {
    DatasetWriter.requireFree(configuration, output, false);
    Path folder = new Path(output);
    Place place = new Place(HadoopFiles.of(folder, configuration), folder);
    return build(configuration, corpus, place, tokenizer, sliceBytes);
  }

  static DatasetManifest build(
      Configuration configuration, Corpus corpus, Place place, Tokenizer tokenizer, long sliceBytes)
      throws IOException {
    TextDocuments opener = new TextDocuments(configuration, corpus.field());
    List<CorpusSlice> slices =
        CorpusSlice.plan(CorpusFiles.list(configuration, corpus), sliceBytes);
    SliceCounts total = SliceCounts.NONE;
    List<Long> firstDocuments = new ArrayList<>();
    for (CorpusSlice slice : slices) {
      firstDocuments.add(total.documents());
      try (SliceReader reader = new SliceReader(slice, opener)) {
        total = total.plus(SliceCounts.of(reader));
      }
    }
    SplitPlan plan = SplitPlan.of(total, 0.1);
    DatasetWriter writer = DatasetWriter.create(place.fileSystem(), place.folder());
    SliceEncoder encoder =
        new SliceEncoder(place.fileSystem(), place.folder(), writer.suffix(), tokenizer, plan);
    List<EncodedSlice> encoded = new ArrayList<>();
    for (CorpusSlice slice : slices) {
      try (SliceReader reader = new SliceReader(slice, opener)) {
        encoded.add(encoder.encode(slice.index(), firstDocuments.get(slice.index()), reader, "1"));
      }
    }
    return writer.commit(tokenizer, encoded, total);
  }
}
