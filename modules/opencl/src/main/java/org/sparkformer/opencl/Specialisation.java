package org.sparkformer.opencl;

import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.Operation;

/**
 * A {@code .cl} kernel that takes the place of an operation's definition where it pays.
 *
 * @param <O> the operation
 */
public interface Specialisation<O extends Operation> {

  /** The operation's class. */
  Class<O> operation();

  /** File and kernel, for people. */
  String description();

  /** Whether it is made for this kind of device at all. */
  default boolean runsOn(DeviceInfo device) {
    return true;
  }

  /** Whether it can run this operation on this device; where not, the next one is asked. */
  boolean supports(O operation, DeviceInfo device);

  /** Queues the kernels that compute the operation. */
  void enqueue(O operation, LaunchContext context);

  /**
   * Where more is needed than what drivers promise, tries it when a backend is opened, and is not
   * used where that fails.
   *
   * @throws OpenClException if the kernel cannot be built or run, or gives wrong results
   */
  default void prove(Backend backend, LaunchContext context) {}
}
