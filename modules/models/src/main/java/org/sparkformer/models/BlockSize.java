package org.sparkformer.models;

/** What a block of GPT and one of BERT need alike: the same matrices, in another order. */
final class BlockSize {
  /** Rows of width C that pass backward: of the stream, its branch and the feed-forward layer. */
  private static final int BACKWARD = 11;

  private BlockSize() {}

  /**
   * Trainable parameters of all blocks, 12·C² + 13·C each: attention 4·C² + 4·C, feed-forward 8·C²
   * + 5·C, two layer norms 4·C.
   */
  static long parameters(ModelConfiguration model) {
    long c = model.width();
    return model.layers() * (12 * c * c + 13 * c);
  }

  /**
   * See {@link ModelConfiguration#activationsOfToken}. A block keeps 7 rows for attention and 11
   * from there to its end, with dropout two more.
   *
   * @param between rows of width C that pass from block to block
   * @param embedded rows of width C that the embeddings keep, but for their dropout's
   */
  static long activationsOfToken(ModelConfiguration model, int between, int embedded) {
    int drops = model.dropout() > 0 ? 1 : 0;
    long block = 18 + 2 * drops;
    long blocks =
        model.recomputeActivations()
            ? (long) between * model.layers() + block
            : block * model.layers();
    return model.width() * (blocks + embedded + drops + BACKWARD);
  }
}
