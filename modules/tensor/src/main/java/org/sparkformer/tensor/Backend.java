package org.sparkformer.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.sparkformer.tensor.ops.Operation;

/**
 * Where tensors live and operations run: one device, one in-order queue, one thread at a time.
 *
 * <p>{@link #run}, {@link #write} and the copies that are only started may return before the work
 * is done; {@link #read}, {@link #finish} and the evaluation of marks wait. Only {@link
 * Pending#await} and {@link #readBeside} may be called on other threads.
 */
public interface Backend extends AutoCloseable {

  /** One line for people: the device and how kernels run on it. */
  String description();

  /**
   * Memory from the pool, contents undefined; the caller owns the one reference.
   *
   * @throws OutOfDeviceMemoryException if the device or the pool's limit has no room
   */
  Tensor allocate(DType dtype, Shape shape);

  /** Queues an operation. */
  void run(Operation operation);

  /** Fills a tensor from the remaining bytes of a native-order buffer; they must match in size. */
  void write(Tensor destination, ByteBuffer source);

  /** Waits, then copies a whole tensor to a native-order buffer; they must match in size. */
  void read(Tensor source, ByteBuffer destination);

  /**
   * Copies a whole tensor to a direct native-order buffer, on any thread and beside what is queued:
   * the tensor has been computed, and nothing queued writes it.
   */
  default void readBeside(Tensor source, ByteBuffer destination) {
    read(source, destination);
  }

  /**
   * Queues a copy of a whole tensor to a direct native-order buffer, which belongs to the copy
   * until it is done. Of what is queued later, only what uses these elements comes after it.
   *
   * @return to be waited for
   */
  default Pending startRead(Tensor source, ByteBuffer destination) {
    read(source, destination);
    return Pending.DONE;
  }

  /**
   * Queues a copy from a direct native-order buffer, which must not change until the copy is done.
   * Of what is queued later, only what uses these elements comes after it.
   *
   * @return to be waited for
   */
  default Pending startWrite(Tensor destination, ByteBuffer source) {
    write(destination, source);
    return Pending.DONE;
  }

  /**
   * Host memory of the kind that the device copies fastest to and from. Its owner closes it when no
   * copy uses it any longer, before this backend.
   */
  default HostMemory hostMemory(int bytes) {
    return HostMemory.ordinary(bytes);
  }

  /** Waits for all queued work; reports what failed in it. */
  void finish();

  /** Puts a time stamp into the queue. */
  Mark mark();

  /** Bytes now taken from the device, and the most that ever were. */
  Memory memory();

  /** Most bytes that can be taken: the device's memory, or the limit set for the pool. */
  long capacityBytes();

  /** Most bytes of one tensor. */
  default long largestTensorBytes() {
    return capacityBytes();
  }

  /**
   * Whether {@link #capacityBytes} is the host's own memory, of which the rest of the process takes
   * its part too.
   */
  default boolean inHostMemory() {
    return false;
  }

  /** Whether this is a device beside the processor, with memory of its own, as a GPU is. */
  default boolean isAccelerator() {
    return false;
  }

  /**
   * The type that gradients which products, layer norms and attention read, and the logits of a
   * training step, are best kept in, where products take their operands as {@code operands}.
   */
  default DType gradients(DType operands) {
    return DType.FLOAT32;
  }

  @Override
  void close();

  /** Something in the queue whose end can be waited for, on any thread. */
  @FunctionalInterface
  interface Pending {
    /** What is over already. */
    Pending DONE = () -> {};

    /** Waits, and reports what failed; at once where it was waited for before. */
    void await();
  }

  /** A moment in the queue; copies that were started before it may still be under way. */
  interface Mark extends Pending {
    /** Whether all that was queued before it is done; does not wait. */
    boolean isReached();

    /** Device time from an earlier mark to this one; waits for this one. */
    double millisecondsSince(Mark earlier);
  }

  /** Device memory in bytes. */
  record Memory(long bytes, long peakBytes) {}

  /** Memory for fp32 elements. */
  default Tensor floats(long... extents) {
    return allocate(DType.FLOAT32, Shape.of(extents));
  }

  /** Memory for int32 elements. */
  default Tensor ints(long... extents) {
    return allocate(DType.INT32, Shape.of(extents));
  }

  /** Writes fp32 values. */
  default void write(Tensor destination, float[] values) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(values.length * 4).order(ByteOrder.nativeOrder());
    bytes.asFloatBuffer().put(values);
    write(destination, bytes);
  }

  /** Writes int32 values. */
  default void write(Tensor destination, int[] values) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(values.length * 4).order(ByteOrder.nativeOrder());
    bytes.asIntBuffer().put(values);
    write(destination, bytes);
  }

  /** Reads an fp32 tensor of at most 2^29 elements. */
  default float[] readFloats(Tensor source) {
    float[] values = new float[Math.toIntExact(source.size())];
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(Math.multiplyExact(values.length, 4))
            .order(ByteOrder.nativeOrder());
    read(source, bytes);
    bytes.clear();
    bytes.asFloatBuffer().get(values);
    return values;
  }
}
