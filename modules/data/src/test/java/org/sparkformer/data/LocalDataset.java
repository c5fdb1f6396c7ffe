package org.sparkformer.data;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;

/** Builds a dataset in this process, slice by slice, as the Spark job does with tasks. */
final class LocalDataset {
  private LocalDataset() {}

  static DatasetManifest build(
      Configuration configuration,
      Corpus corpus,
      String output,
      Tokenizer tokenizer,
      long sliceBytes)
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
    DatasetWriter writer = DatasetWriter.create(configuration, output, false);
    SliceEncoder encoder = new SliceEncoder(configuration, output, tokenizer, plan);
    List<EncodedSlice> encoded = new ArrayList<>();
    for (CorpusSlice slice : slices) {
      try (SliceReader reader = new SliceReader(slice, opener)) {
        encoded.add(encoder.encode(slice.index(), firstDocuments.get(slice.index()), reader, "1"));
      }
    }
    return writer.commit(tokenizer, encoded, total);
  }
}
