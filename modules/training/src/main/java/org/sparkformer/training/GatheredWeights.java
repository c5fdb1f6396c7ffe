package org.sparkformer.training;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.models.ParameterSink;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Backend.Pending;
import org.sparkformer.tensor.Tensor;

/**
 * The weights that a pass is about to use, put together from the ranks' slices. A block's arrive on
 * the device when the pass comes to it, and those of the next are gathered into host memory
 * meanwhile. Every rank has to go through the blocks in the same order.
 */
final class GatheredWeights implements AutoCloseable {
  private static final int NONE = -1;

  private final Backend backend;
  private final ModelState state;
  private final Units units;
  private final BucketTraffic traffic;
  private final UnitBuffers buffers;
  private final List<Future<Staging.Place>> underWay = new ArrayList<>();
  private int held = NONE;
  private int coming = NONE;
  private boolean sharedHeld;

  /**
   * @param traffic with a place for each of a block's buckets
   */
  GatheredWeights(Backend backend, ModelState state, Units units, BucketTraffic traffic) {
    this.backend = backend;
    this.state = state;
    this.units = units;
    this.traffic = traffic;
    this.buffers = new UnitBuffers(backend, units);
  }

  /** A parameter that is shared, or of the block that was entered last; borrowed. */
  Tensor of(Parameter parameter) {
    return buffers.of(parameter);
  }

  /** The slices have changed: nothing that was gathered holds any longer. */
  void invalidate() {
    held = NONE;
    sharedHeld = false;
  }

  /** Makes sure that the shared weights are there; before every pass. */
  void beginPass() {
    if (sharedHeld) {
      return;
    }
    gather(IntStream.range(units.firstShared(), units.buckets().all().size()));
    collect(units.firstShared());
    sharedHeld = true;
  }

  /**
   * Makes sure that a block's weights are there, and has the next one's gathered.
   *
   * @param next the block that the pass comes to after this one; none outside the model
   */
  void enter(int layer, int next) {
    Units.Unit unit = units.blocks().get(layer);
    if (held != layer) {
      if (coming == NONE) {
        gather(unit.buckets());
      } else if (coming != layer) {
        throw new IllegalStateException("block " + coming + " was to come, not block " + layer);
      }
      collect(unit.firstBucket());
      buffers.completeBlock(layer);
      held = layer;
      coming = NONE;
    }
    if (next >= 0 && next < units.layers() && coming != next) {
      gather(units.blocks().get(next).buckets());
      coming = next;
    }
  }

  private void gather(IntStream buckets) {
    buckets.forEach(index -> underWay.add(traffic.allGather(index, state::parameters)));
  }

  private void collect(int first) {
    for (int i = 0; i < underWay.size(); i++) {
      Tensor destination = buffers.bucket(first + i);
      traffic.take(
          first + i,
          traffic.await(underWay.get(i)),
          floats -> backend.startWrite(destination, floats));
    }
    underWay.clear();
  }

  /** Gathers all weights, in the order of the flat vector, and hands them to the host. */
  void read(ParameterSink sink) {
    List<Bucket> all = units.buckets().all();
    long end = units.buckets().layout().size();
    IntStream.range(0, all.size())
        .boxed()
        .sorted((one, other) -> Long.compare(all.get(one).from(), all.get(other).from()))
        .forEach(index -> read(index, all.get(index), end, sink));
  }

  private void read(int index, Bucket bucket, long end, ParameterSink sink) {
    Staging.Place place = traffic.await(traffic.allGather(index, state::parameters));
    traffic.take(
        index,
        place,
        floats -> {
          int count = (int) (Math.min(bucket.to(), end) - bucket.from());
          ByteBuffer parameters = floats.slice(0, count * Float.BYTES).order(floats.order());
          sink.write(bucket.from(), parameters);
          return Pending.DONE;
        });
  }

  @Override
  public void close() {
    buffers.close();
  }
}
