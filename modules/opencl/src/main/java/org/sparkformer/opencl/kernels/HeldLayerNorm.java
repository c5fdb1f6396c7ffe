package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Dropping;
import org.sparkformer.tensor.ops.LayerNormBackward;
import org.sparkformer.tensor.ops.LayerNormForward;

/**
 * Rows that the registers of a warp hold, by {@code layernorm_held.cl}, on NVIDIA's GPUs.
 *
 * @param x what is normalised
 * @param bf16 the macro that says whether {@code y} is bf16
 * @param y what may be
 * @param arguments adds the operation's to a launch
 */
record HeldLayerNorm<O extends Dropping>(
    Class<O> operation,
    String kernel,
    Function<O, Tensor> x,
    String bf16,
    Function<O, Tensor> y,
    BiFunction<Launch, O, Launch> arguments)
    implements Specialisation<O> {
  private static final String FILE = "layernorm_held.cl";
  private static final int WARP = 32;

  /** Work-items of a group. */
  private static final int ITEMS = 128;

  /** Values of a lane: with 64 the backward kernel takes 225 of 255 registers. */
  private static final int MOST_VALUES = 64;

  static HeldLayerNorm<LayerNormForward> forward() {
    return new HeldLayerNorm<>(
        LayerNormForward.class,
        "layer_norm_forward",
        LayerNormForward::x,
        "Y_BF16",
        LayerNormForward::y,
        LayerNormKernels::withArguments);
  }

  static HeldLayerNorm<LayerNormBackward> backward() {
    return new HeldLayerNorm<>(
        LayerNormBackward.class,
        "layer_norm_backward",
        LayerNormBackward::x,
        "DY_BF16",
        LayerNormBackward::dy,
        LayerNormKernels::withArguments);
  }

  @Override
  public String description() {
    return FILE + " " + kernel;
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return NvidiaDevice.multipliesBfloat16(device);
  }

  @Override
  public boolean supports(O candidate, DeviceInfo device) {
    return x.apply(candidate).columns() <= WARP * MOST_VALUES;
  }

  @Override
  public void enqueue(O norm, LaunchContext context) {
    Map<String, Integer> macros = new HashMap<>();
    macros.put("PTX", NvidiaDevice.ptx(context.device()));
    macros.put("VALUES", Vectors.count(x.apply(norm).columns(), WARP));
    Elements.define(macros, bf16, y.apply(norm));
    Dropouts.define(macros, norm);
    long items = (long) x.apply(norm).rows() * WARP;
    arguments
        .apply(context.kernel(FILE, kernel, macros), norm)
        .over(Launch.groups(items, ITEMS), ITEMS);
  }
}
