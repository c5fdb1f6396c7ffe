package org.sparkformer.tensor.reference;

import com.aparapi.Kernel;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Binding;
import org.sparkformer.tensor.ops.Binding.Argument;
import org.sparkformer.tensor.ops.Operation;

/**
 * Runs the definitions of the operations as Java: the oracle of the contract suite, and what a
 * machine without OpenCL falls back to.
 *
 * <p>Memory is Java arrays. Where a tensor is part of a storage, or of bf16, the definition sees a
 * copy in fp32, and outputs are copied back.
 */
public final class JavaBackend implements Backend {
  private static final int SMALLEST_SHARE = 16;

  private final int threads;
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicLong peakBytes = new AtomicLong();

  /** On all processors. */
  public JavaBackend() {
    this(Runtime.getRuntime().availableProcessors());
  }

  /**
   * @param threads how many work on one operation; results do not depend on it
   */
  public JavaBackend(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be positive: " + threads);
    }
    this.threads = threads;
  }

  @Override
  public String description() {
    return "Java (no OpenCL): " + threads + " threads, definitions of the kernels as Java";
  }

  @Override
  public Tensor allocate(DType dtype, Shape shape) {
    return new Tensor(new ArrayStorage(dtype, shape.size(), this::account), dtype, 0, shape);
  }

  private void account(long change) {
    long now = bytes.addAndGet(change);
    peakBytes.accumulateAndGet(now, Math::max);
  }

  @Override
  public void run(Operation operation) {
    Map<Region, Object> arrays = new HashMap<>();
    List<Runnable> copiesBack = new ArrayList<>();
    List<Argument> arguments = Binding.of(operation).arguments();
    for (Argument argument : arguments) {
      if (argument.isArray() && argument.tensor(operation) != null) {
        Tensor tensor = argument.tensor(operation);
        Object array = arrays.computeIfAbsent(Region.of(tensor), region -> region.array(tensor));
        if (argument.output() && array != ArrayStorage.of(tensor).array()) {
          copiesBack.add(() -> ArrayStorage.of(tensor).set(tensor, array));
        }
      }
    }
    execute(operation, arguments, arrays);
    copiesBack.forEach(Runnable::run);
  }

  private void execute(Operation operation, List<Argument> arguments, Map<Region, Object> arrays) {
    int items = Math.toIntExact(operation.workItems());
    int shares = Math.max(1, Math.min(threads, items / SMALLEST_SHARE));
    IntStream.range(0, shares)
        .parallel()
        .forEach(
            share -> {
              Kernel kernel = bind(operation, arguments, arrays);
              int end = (int) ((long) items * (share + 1) / shares);
              for (int item = (int) ((long) items * share / shares); item < end; item++) {
                kernel.getKernelState().setGlobalId(0, item);
                kernel.run();
              }
            });
  }

  private static Kernel bind(
      Operation operation, List<Argument> arguments, Map<Region, Object> arrays) {
    Kernel kernel = operation.definition();
    kernel.getKernelState().setGlobalIds(new int[3]);
    for (Argument argument : arguments) {
      try {
        argument.field().set(kernel, value(argument, operation, arrays));
      } catch (IllegalAccessException e) {
        throw new IllegalStateException("cannot set " + argument.field(), e);
      }
    }
    return kernel;
  }

  private static Object value(Argument argument, Operation operation, Map<Region, Object> arrays) {
    if (!argument.isArray()) {
      return argument.scalar(operation);
    }
    Tensor tensor = argument.tensor(operation);
    return tensor == null ? null : arrays.get(Region.of(tensor));
  }

  @Override
  public void write(Tensor destination, ByteBuffer source) {
    checkSize(destination, source);
    ArrayStorage.of(destination).write(destination, source);
  }

  @Override
  public void read(Tensor source, ByteBuffer destination) {
    checkSize(source, destination);
    ArrayStorage.of(source).read(source, destination);
  }

  private static void checkSize(Tensor tensor, ByteBuffer buffer) {
    if (tensor.bytes() != buffer.remaining()) {
      throw new IllegalArgumentException(
          "tensor "
              + tensor.shape()
              + " has "
              + tensor.bytes()
              + " bytes, buffer "
              + buffer.remaining());
    }
  }

  @Override
  public void finish() {
    // Operations are done when run returns.
  }

  @Override
  public Mark mark() {
    return new JavaMark(System.nanoTime());
  }

  @Override
  public Memory memory() {
    return new Memory(bytes.get(), peakBytes.get());
  }

  @Override
  public long capacityBytes() {
    return Runtime.getRuntime().maxMemory();
  }

  @Override
  public void close() {
    // Arrays are the garbage collector's.
  }

  private record JavaMark(long nanoseconds) implements Mark {
    @Override
    public boolean isReached() {
      return true;
    }

    @Override
    public void await() {
      // Operations are done when run returns.
    }

    @Override
    public double millisecondsSince(Mark earlier) {
      return (nanoseconds - ((JavaMark) earlier).nanoseconds) / 1e6;
    }
  }

  /** Identity of the memory a tensor covers: views of the same elements share one array. */
  private record Region(ArrayStorage storage, long offset, long size) {
    static Region of(Tensor tensor) {
      return new Region(ArrayStorage.of(tensor), tensor.offset(), tensor.size());
    }

    Object array(Tensor tensor) {
      return storage.get(tensor);
    }
  }
}
