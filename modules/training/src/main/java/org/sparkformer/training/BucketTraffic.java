package org.sparkformer.training;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.sparkformer.collective.Addends;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.WirePrecision;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Backend.Mark;
import org.sparkformer.tensor.Backend.Pending;
import org.sparkformer.tensor.HostMemory;
import org.sparkformer.tensor.Tensor;

/**
 * Moves buckets between this rank's device and the other ranks: reduce-scatter of gradients,
 * all-gather of weights. Nothing waits here but for a place in host memory; copies and collective
 * operations follow one another on the device's queue and on the communication thread.
 */
final class BucketTraffic implements AutoCloseable {
  private final Backend backend;
  private final Collective collective;
  private final Communication communication;
  private final long parameters;
  private final List<Bucket> buckets;
  private final List<Slice> slices;
  private final Staging staging;
  private final List<List<Own>> owns = new ArrayList<>();

  /** Host memory of this rank's slice of a bucket, and the last copy from it to the device. */
  private static final class Own {
    private final HostMemory memory;
    private final ByteBuffer bytes;
    private Pending use = Pending.DONE;

    Own(HostMemory memory) {
      this.memory = memory;
      this.bytes = memory.bytes();
    }

    /** Whatever of the slice belongs to parameters. */
    ByteBuffer parameters(Slice slice) {
      return bytes.slice(0, (int) slice.parameters() * Float.BYTES).order(ByteOrder.nativeOrder());
    }

    FloatBuffer floats() {
      return bytes.duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer();
    }
  }

  /**
   * What passes through a rank's host memory.
   *
   * @param buckets of the vectors that are exchanged
   * @param partials of this rank's that are added at once, at least 1
   * @param sums that come of an addition, at least 1
   * @param places for buckets on their way
   */
  record Route(Buckets buckets, int partials, int sums, int places) {
    /** With places for one bucket that is copied, one on the wire and one between them. */
    static Route of(Buckets buckets, int partials, int sums) {
      return new Route(buckets, partials, sums, Math.min(Staging.PLACES, buckets.all().size()));
    }

    /** Bytes of host memory that it takes on a rank. */
    long hostBytes(int rank) {
      long staged = (long) places * partials * buckets.largest();
      return Float.BYTES * (staged + sums * buckets.owned(rank));
    }
  }

  BucketTraffic(Rank rank, Route route, Communication communication) {
    this.backend = rank.backend();
    this.collective = rank.collective();
    this.communication = communication;
    this.parameters = route.buckets().layout().size();
    this.buckets = route.buckets().all();
    this.slices = route.buckets().slices(collective.rank());
    int largest = (int) route.buckets().largest();
    this.staging = new Staging(backend, route.places(), route.partials(), largest);
    for (int sum = 0; sum < route.sums(); sum++) {
      owns.add(slices.stream().map(this::own).toList());
    }
  }

  private Own own(Slice slice) {
    return new Own(backend.hostMemory((int) slice.length() * Float.BYTES));
  }

  /**
   * Queues the sums of a bucket; {@link #writeOwn} has this rank's slice of them when the exchange
   * is done.
   *
   * @param partials the bucket's elements of this rank's partial sums; of a rank that has none, a
   *     vector that nobody adds
   */
  Future<?> reduceScatter(int index, Addends addends, List<Tensor> partials) {
    int count = (int) buckets.get(index).length();
    Staging.Place place = takePlace();
    List<Pending> copies = new ArrayList<>(partials.size());
    List<FloatBuffer> values = new ArrayList<>(partials.size());
    for (int i = 0; i < partials.size(); i++) {
      copies.add(backend.startRead(partials.get(i), place.bytes(i, count)));
      values.add(place.floats(i, count));
    }
    List<Own> sums = owns.stream().limit(addends.sums().size()).map(of -> of.get(index)).toList();
    return communication.submit(
        () -> {
          try {
            copies.forEach(Pending::await);
            sums.forEach(own -> own.use.await());
            communication.timed(
                "reduce-scatter of bucket " + index, () -> add(index, addends, values, sums));
          } finally {
            // Also where it failed: the training thread may be waiting for the place.
            staging.giveBack(place, Pending.DONE);
          }
          return null;
        });
  }

  private void add(int index, Addends addends, List<FloatBuffer> partials, List<Own> sums) {
    List<FloatBuffer> shards = sums.stream().map(Own::floats).toList();
    collective.reduceScatter(addends, partials, shards, precisionOf(index));
  }

  /** What shares a bucket with the loss, biases and normalisation weights, crosses in fp32. */
  private WirePrecision precisionOf(int index) {
    return buckets.get(index).to() > parameters ? WirePrecision.FP32 : communication.precision();
  }

  private Staging.Place takePlace() {
    try {
      Staging.Place place = staging.poll(0);
      return place == null ? awaitPlace(backend.mark()) : place;
    } catch (InterruptedException interrupted) {
      throw Communication.interrupted("gradients wait to leave the device", interrupted);
    }
  }

  /**
   * Other ranks are waited for from the moment when this one's device has computed what it was
   * given: until then its own gradients are.
   */
  private Staging.Place awaitPlace(Mark given) throws InterruptedException {
    while (true) {
      boolean computed = given.isReached();
      long since = System.nanoTime();
      Staging.Place place = staging.poll(Communication.LOOK_MILLISECONDS);
      if (computed) {
        communication.countHeld(System.nanoTime() - since);
      }
      if (place != null) {
        return place;
      }
    }
  }

  /** The loss in one of the last sums, where this rank's slices reach there; else 0. */
  float ownLoss(int sum) {
    for (int index = 0; index < slices.size(); index++) {
      if (slices.get(index).holdsLoss()) {
        return owns.get(sum).get(index).floats().get((int) slices.get(index).parameters());
      }
    }
    return 0;
  }

  /**
   * Queues the copy of this rank's slice of a sum to the device, where there is any of it.
   *
   * @param destination finds the place for a slice's parameters
   */
  void writeOwn(int index, int sum, Function<Slice, Tensor> destination) {
    Slice slice = slices.get(index);
    if (slice.holdsParameters()) {
      Own own = owns.get(sum).get(index);
      own.use = backend.startWrite(destination.apply(slice), own.parameters(slice));
    }
  }

  /**
   * Queues the exchange of the ranks' slices of a bucket's parameters.
   *
   * @param parameters finds a slice's parameters on the device
   * @return the whole bucket, for {@link #writeOthers} or {@link #take}
   */
  Future<Staging.Place> allGather(int index, Function<Slice, Tensor> parameters) {
    Slice slice = slices.get(index);
    Own own = owns.get(0).get(index);
    Pending copy =
        slice.holdsParameters()
            ? backend.startRead(parameters.apply(slice), own.parameters(slice))
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

  /** Waits for what {@link #allGather} has queued. */
  Staging.Place await(Future<Staging.Place> gathered) {
    return communication.awaitWeights(gathered, backend);
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

  /** Hands on what came of a bucket, then takes its place back. */
  void take(int index, Staging.Place place, Function<ByteBuffer, Pending> copy) {
    staging.giveBack(place, copy.apply(place.bytes(0, (int) buckets.get(index).length())));
  }

  private Pending write(Bucket bucket, long from, long to, Staging.Place place, Tensor parameters) {
    if (to <= from) {
      return Pending.DONE;
    }
    int count = (int) (to - from);
    return backend.startWrite(
        parameters.view(from, count), place.bytes(0, (int) (from - bucket.from()), count));
  }

  /**
   * Gives the host memory back, unless an exchange that did not end may touch it still: lost memory
   * is better than freed memory that is written to.
   */
  @Override
  public void close() {
    if (communication.isOver()) {
      staging.close();
      owns.forEach(sum -> sum.forEach(own -> own.memory.close()));
      owns.clear();
    }
  }
}
