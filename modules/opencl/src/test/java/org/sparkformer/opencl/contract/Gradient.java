package org.sparkformer.opencl.contract;

import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleBiFunction;
import org.sparkformer.tensor.ops.Operation;

/**
 * What an operation's outputs are the gradients of.
 *
 * @param forward the function; its tensors have the names they have in the backward operation
 * @param of gradient tensor to the forward tensor it belongs to
 * @param loss of the forward's tensors and the backward's tensors before it ran
 */
public record Gradient(
    Function<Workspace, Operation> forward,
    Map<String, String> of,
    ToDoubleBiFunction<Map<String, float[]>, Map<String, float[]>> loss) {

  /** The loss whose gradient with respect to output {@code y} is {@code dy}. */
  public static ToDoubleBiFunction<Map<String, float[]>, Map<String, float[]>> dot(
      String y, String dy) {
    return (forward, backward) -> {
      double sum = 0;
      for (int i = 0; i < forward.get(y).length; i++) {
        sum += (double) forward.get(y)[i] * backward.get(dy)[i];
      }
      return sum;
    };
  }
}
