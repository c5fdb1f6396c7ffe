package org.sparkformer.training;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import org.sparkformer.collective.Collective;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Backend.Pending;
import org.sparkformer.tensor.Tensor;

/**
 * Moves buckets between this rank's device and the other ranks: reduce-scatter of gradients,
 * all-gather of weights. Nothing waits here but for a place in host memory; copies and collective
 * operations follow one another on the device's queue and on the communication thread.
 */
final class BucketTraffic {
  private final Backend backend;
  private final Collective collective;
  private final Communication communication;
  private final List<Bucket> buckets;
  private final List<Slice> slices;
  private final Staging staging;
  private final List<Own> owns = new ArrayList<>();

  /** Host memory of this rank's slice of a bucket, and the last copy from it to the device. */
  private static final class Own {
    private final ByteBuffer bytes;
    private Pending use = Pending.DONE;

    Own(Slice slice) {
      bytes =
          ByteBuffer.allocateDirect((int) slice.length() * Float.BYTES)
              .order(ByteOrder.nativeOrder());
    }

    /** Whatever of the slice belongs to parameters. */
    ByteBuffer parameters(Slice slice) {
      return bytes.slice(0, (int) slice.parameters() * Float.BYTES).order(ByteOrder.nativeOrder());
    }

    FloatBuffer floats() {
      return bytes.duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer();
    }
  }

  /** Bytes of host memory that a rank's traffic takes. */
  static long hostBytes(Rank rank, Buckets buckets) {
    long staged = (long) Staging.places(buckets.all().size()) * partials(rank) * buckets.largest();
    return Float.BYTES * (staged + buckets.owned(rank.collective().rank()));
  }

  private static int partials(Rank rank) {
    Collective collective = rank.collective();
    return collective.tree().partialsOf(collective.rank(), collective.size()).size();
  }

  BucketTraffic(Rank rank, Buckets buckets, Communication communication) {
    this.backend = rank.backend();
    this.collective = rank.collective();
    this.communication = communication;
    this.buckets = buckets.all();
    this.slices = buckets.slices(collective.rank());
    this.staging = new Staging(this.buckets.size(), partials(rank), (int) buckets.largest());
    slices.forEach(slice -> owns.add(new Own(slice)));
  }

  /**
   * Queues the sum of a bucket over all leaves; {@link #writeOwn} has this rank's slice of it when
   * the exchange is done.
   *
   * @param partials this rank's partial sums
   */
  Future<?> reduceScatter(int index, List<GradientBuffer> partials) {
    Bucket bucket = buckets.get(index);
    int count = (int) bucket.length();
    Staging.Place place = takePlace();
    List<Pending> copies = new ArrayList<>(partials.size());
    List<FloatBuffer> values = new ArrayList<>(partials.size());
    for (int i = 0; i < partials.size(); i++) {
      copies.add(backend.startRead(bucket.of(partials.get(i).flat()), place.bytes(i, count)));
      values.add(place.floats(i, count));
    }
    Own own = owns.get(index);
    return communication.submit(
        () -> {
          try {
            copies.forEach(Pending::await);
            own.use.await();
            communication.timed(
                "reduce-scatter of bucket " + index,
                () -> collective.reduceScatter(values, own.floats()));
          } finally {
            // Also where it failed: the training thread may be waiting for the place.
            staging.giveBack(place, Pending.DONE);
          }
          return null;
        });
  }

  private Staging.Place takePlace() {
    try {
      return staging.take();
    } catch (InterruptedException interrupted) {
      throw Communication.interrupted("gradients wait to leave the device", interrupted);
    }
  }

  /** The last sum of what follows the parameters, where this rank's slices reach there; else 0. */
  float ownLoss() {
    for (int index = 0; index < slices.size(); index++) {
      if (slices.get(index).holdsLoss()) {
        return owns.get(index).floats().get((int) slices.get(index).parameters());
      }
    }
    return 0;
  }

  /** Queues the copy of this rank's slice of a sum to its place in a gradient vector. */
  void writeOwn(int index, Tensor gradients) {
    Slice slice = slices.get(index);
    if (slice.holdsParameters()) {
      Own own = owns.get(index);
      own.use = backend.startWrite(slice.of(gradients), own.parameters(slice));
    }
  }

  /**
   * Queues the exchange of the ranks' slices of a bucket's parameters.
   *
   * @return the whole bucket, for {@link #writeOthers}
   */
  Future<Staging.Place> allGather(int index, Tensor parameters) {
    Slice slice = slices.get(index);
    Own own = owns.get(index);
    Pending copy =
        slice.holdsParameters()
            ? backend.startRead(slice.of(parameters), own.parameters(slice))
            : Pending.DONE;
    int count = (int) buckets.get(index).length();
    return communication.submit(
        () -> {
          copy.await();
          Staging.Place place = staging.take();
          communication.timed(
              "all-gather of bucket " + index,
              () -> collective.allGather(own.floats(), place.floats(0, count)));
          return place;
        });
  }

  /** Queues the copy of what the other ranks own of a bucket to its place in the parameters. */
  void writeOthers(int index, Staging.Place place, Tensor parameters) {
    Bucket bucket = buckets.get(index);
    Slice own = slices.get(index);
    long end = Math.min(bucket.to(), parameters.size());
    Pending before = write(bucket, bucket.from(), Math.min(own.from(), end), place, parameters);
    Pending behind = write(bucket, own.from() + own.length(), end, place, parameters);
    staging.giveBack(
        place,
        () -> {
          before.await();
          behind.await();
        });
  }

  private Pending write(Bucket bucket, long from, long to, Staging.Place place, Tensor parameters) {
    if (to <= from) {
      return Pending.DONE;
    }
    int count = (int) (to - from);
    return backend.startWrite(
        parameters.view(from, count), place.bytes(0, (int) (from - bucket.from()), count));
  }
}
