package org.sparkformer.training;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Backend.Pending;
import org.sparkformer.tensor.HostMemory;

/**
 * Host memory through which buckets pass on their way: a few places, taken once and used again and
 * again.
 */
final class Staging implements AutoCloseable {
  /** One bucket is copied from the device while one is on the wire; a third waits between them. */
  static final int PLACES = 3;

  private final BlockingQueue<Place> free;
  private final List<HostMemory> memory = new ArrayList<>();

  /** Room for one bucket of each of this rank's partial sums. */
  static final class Place {
    private final List<ByteBuffer> buffers;
    private Pending use = Pending.DONE;

    private Place(List<ByteBuffer> buffers) {
      this.buffers = buffers;
    }

    /** The first {@code count} floats of a buffer, as bytes. */
    ByteBuffer bytes(int partial, int count) {
      return bytes(partial, 0, count);
    }

    ByteBuffer bytes(int partial, int first, int count) {
      return buffers
          .get(partial)
          .slice(first * Float.BYTES, count * Float.BYTES)
          .order(ByteOrder.nativeOrder());
    }

    FloatBuffer floats(int partial, int count) {
      return bytes(partial, count).asFloatBuffer();
    }
  }

  /**
   * @param places how many buckets may be on their way
   * @param partials buffers of a place
   * @param floats that each holds
   */
  Staging(Backend backend, int places, int partials, int floats) {
    this.free = new ArrayBlockingQueue<>(places);
    for (int place = 0; place < places; place++) {
      List<ByteBuffer> buffers = new ArrayList<>();
      for (int partial = 0; partial < partials; partial++) {
        memory.add(backend.hostMemory(floats * Float.BYTES));
        buffers.add(memory.get(memory.size() - 1).bytes());
      }
      free.add(new Place(buffers));
    }
  }

  /** Waits for a place, and for the copy that last used it. */
  Place take() throws InterruptedException {
    return use(free.take());
  }

  /** As {@link #take}; null where there is none within that time. */
  Place poll(long milliseconds) throws InterruptedException {
    Place place = free.poll(milliseconds, TimeUnit.MILLISECONDS);
    return place == null ? null : use(place);
  }

  private static Place use(Place place) {
    place.use.await();
    return place;
  }

  /**
   * @param use the last copy to or from the place
   */
  void giveBack(Place place, Pending use) {
    place.use = use;
    free.add(place);
  }

  /** Gives the memory back, also that of places on their way: nothing may use them any longer. */
  @Override
  public void close() {
    memory.forEach(HostMemory::close);
    memory.clear();
  }
}
