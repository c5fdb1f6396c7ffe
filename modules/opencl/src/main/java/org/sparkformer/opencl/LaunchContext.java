package org.sparkformer.opencl;

import java.util.Map;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;

/** What a {@link Specialisation} launches its kernels with. */
public final class LaunchContext {
  private final DeviceQueue queue;
  private final BufferPool pool;
  private final Programs programs;
  private final Tunables tunables;
  private final OpenClStorage nothing;

  LaunchContext(DeviceQueue queue, BufferPool pool, Programs programs, Tunables tunables) {
    this(queue, pool, programs, tunables, pool.take(1));
  }

  private LaunchContext(
      DeviceQueue queue,
      BufferPool pool,
      Programs programs,
      Tunables tunables,
      OpenClStorage nothing) {
    this.queue = queue;
    this.pool = pool;
    this.programs = programs;
    this.tunables = tunables;
    this.nothing = nothing;
  }

  /** The same with other tunables. */
  LaunchContext with(Tunables others) {
    return new LaunchContext(queue, pool, programs, others, nothing);
  }

  /** The device that the kernels run on. */
  public DeviceInfo device() {
    return queue.device().info();
  }

  /** The values of a kernel file's tunable macros on this device. */
  public Map<String, Integer> tunables(String file) {
    return tunables.of(file);
  }

  /** A launch of a kernel of a {@code .cl} resource, built with this device's tunables for it. */
  public Launch kernel(String file, String entry) {
    return kernel(file, entry, tunables(file));
  }

  /**
   * A launch of a kernel of a {@code .cl} resource.
   *
   * @param macros defined when it is built; a program is kept for each set of values
   */
  public Launch kernel(String file, String entry, Map<String, Integer> macros) {
    return launch(programs.kernel(file, entry, macros));
  }

  Launch definition(KernelSource source) {
    return launch(programs.kernel(source.name(), "run", Map.of(), () -> source));
  }

  private Launch launch(DeviceKernel kernel) {
    return new Launch(
        kernel, queue, pool, OpenClStorage.buffer(asTensor(nothing, DType.INT32, 0), pool));
  }

  /** Scratch memory; closing it right after the launches that use it is allowed. */
  public Tensor floats(long size) {
    return asTensor(pool.take(size * DType.FLOAT32.bytes()), DType.FLOAT32, size);
  }

  private static Tensor asTensor(OpenClStorage storage, DType dtype, long size) {
    return new Tensor(storage, dtype, 0, Shape.of(size));
  }
}
