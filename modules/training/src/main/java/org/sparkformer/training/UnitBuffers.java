package org.sparkformer.training;

import java.util.function.BiConsumer;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Copy;

/**
 * Device memory for what a pass needs of the weights, or of the gradients: all that is shared, and
 * one block's matrices at a time. One block is enough, because the device works in order: what is
 * queued after a block's last use comes after it.
 */
final class UnitBuffers implements AutoCloseable {
  private final Backend backend;
  private final Units units;
  private final Tensor shared;
  private final Tensor block;

  UnitBuffers(Backend backend, Units units) {
    this.backend = backend;
    this.units = units;
    this.shared = backend.floats(units.sharedLength());
    this.block = backend.floats(elements(units) - units.sharedLength());
  }

  /** Elements that they take on the device. */
  static long elements(Units units) {
    return units.sharedLength() + Math.max(1, units.largestBlock());
  }

  /** All that is shared, laid out as the shared buckets; borrowed. */
  Tensor shared() {
    return shared;
  }

  /** A block's matrices; borrowed. */
  Tensor block(int layer) {
    return block.view(0, units.blocks().get(layer).length());
  }

  /** A parameter's place; borrowed. */
  Tensor of(Parameter parameter) {
    int layer = Units.layer(parameter);
    return layer < 0
        ? ParameterLayout.view(shared, units.sharedPlace(parameter.offset()), parameter)
        : ParameterLayout.view(
            block, parameter.offset() - units.blocks().get(layer).from(), parameter);
  }

  /** A bucket's place, where it is shared or its block's turn; borrowed. */
  Tensor bucket(int index) {
    Bucket bucket = units.buckets().all().get(index);
    int number = index - units.firstShared();
    return number < 0
        ? block.view(bucket.from() - units.blocks().get(bucket.mark()).from(), bucket.length())
        : shared.view(units.shared().get(number).place(), bucket.length());
  }

  /** Completes a block's matrices with what is shared of them. */
  void completeBlock(int layer) {
    seams(layer, (inShared, inBlock) -> backend.run(new Copy(inShared, inBlock)));
  }

  /** Completes what is shared with a block's part of it. */
  void completeShared(int layer) {
    seams(layer, (inShared, inBlock) -> backend.run(new Copy(inBlock, inShared)));
  }

  private void seams(int layer, BiConsumer<Tensor, Tensor> copy) {
    Units.Unit unit = units.blocks().get(layer);
    for (Units.Piece piece : units.shared()) {
      long from = Math.max(unit.from(), piece.bucket().from());
      long to = Math.min(unit.to(), piece.bucket().to());
      if (from < to) {
        copy.accept(
            shared.view(piece.place() + from - piece.bucket().from(), to - from),
            block.view(from - unit.from(), to - from));
      }
    }
  }

  @Override
  public void close() {
    shared.close();
    block.close();
  }
}
