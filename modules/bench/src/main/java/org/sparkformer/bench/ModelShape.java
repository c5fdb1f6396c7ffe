package org.sparkformer.bench;

import java.util.List;
import org.sparkformer.data.MaskedSamples;
import org.sparkformer.training.configuration.DataConfiguration;

/**
 * The shape of a training step whose kernels are measured.
 *
 * @param name as in the table
 * @param batch B, sequences of a micro-batch
 * @param length T, tokens of a sequence
 * @param width C
 * @param heads H
 * @param vocabulary V
 * @param causal GPT, else BERT
 */
record ModelShape(
    String name, int batch, int length, int width, int heads, int vocabulary, boolean causal) {

  /** GPT-2 124M as the step benchmark trains it. */
  static final ModelShape GPT2 = new ModelShape("gpt2-124m", 4, 512, 768, 12, 50257, true);

  /** Attention over long sequences, 16 heads of 64. */
  static final ModelShape LONG = new ModelShape("long-1024", 1, 1024, 1024, 16, 65, true);

  static final ModelShape BERT = new ModelShape("bert-base", 8, 128, 768, 12, 30522, false);

  /** nanoGPT's character model of 6 layers of width 384. */
  static final ModelShape CHARACTER = new ModelShape("char-6x384", 8, 256, 384, 6, 65, true);

  /** nanoGPT's character model of 4 layers of width 128, one micro-batch. */
  static final ModelShape SMALL = new ModelShape("char-4x128", 3, 64, 128, 4, 65, true);

  /** Those of the kernel table. */
  static final List<ModelShape> ALL = List.of(GPT2, LONG, BERT, CHARACTER, SMALL);

  int rows() {
    return batch * length;
  }

  /** Rows that the head sees: of a BERT, those of hidden tokens, in the usual share. */
  int predicted() {
    return causal
        ? rows()
        : batch * MaskedSamples.targets(length, DataConfiguration.DEFAULTS.maskFraction());
  }

  int headSize() {
    return width / heads;
  }
}
