package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Add;
import org.sparkformer.tensor.ops.Copy;
import org.sparkformer.tensor.ops.DropoutApply;
import org.sparkformer.tensor.ops.ExactGelu;
import org.sparkformer.tensor.ops.ExactGeluBackward;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.ops.Gelu;
import org.sparkformer.tensor.ops.GeluBackward;

/** Launches of {@code elementwise.cl}. */
public final class ElementwiseKernels {
  private static final String FILE = "elementwise.cl";

  private ElementwiseKernels() {}

  public static List<Specialisation<?>> all() {
    return List.of(
        KernelLaunch.of(Fill.class, FILE, ElementwiseKernels::fill),
        KernelLaunch.of(Copy.class, FILE, ElementwiseKernels::copy),
        KernelLaunch.of(Add.class, FILE, ElementwiseKernels::add),
        KernelLaunch.of(Gelu.class, FILE, ElementwiseKernels::gelu),
        KernelLaunch.of(GeluBackward.class, FILE, ElementwiseKernels::geluBackward),
        KernelLaunch.of(ExactGelu.class, FILE, ElementwiseKernels::exactGelu),
        KernelLaunch.of(ExactGeluBackward.class, FILE, ElementwiseKernels::exactGeluBackward),
        KernelLaunch.of(DropoutApply.class, FILE, ElementwiseKernels::dropout));
  }

  private static void fill(Fill fill, LaunchContext context) {
    long n = fill.x().size();
    over(context.kernel(FILE, "fill").tensor(fill.x()).number(n).number(fill.value()), n, context);
  }

  /** Queues a copy, between tensors of either type. */
  public static void copy(Copy copy, LaunchContext context) {
    long n = copy.x().size();
    Launch launch = kernel("copy", copy.x(), copy.y(), context);
    over(launch.elements(copy.x()).elements(copy.y()).number(n), n, context);
  }

  /** A launch of a kernel that is built for the types of x and y. */
  private static Launch kernel(String name, Tensor x, Tensor y, LaunchContext context) {
    Map<String, Integer> macros = new HashMap<>(context.tunables(FILE));
    Elements.define(macros, "X_BF16", x);
    Elements.define(macros, "Y_BF16", y);
    return context.kernel(FILE, name, macros);
  }

  private static void add(Add add, LaunchContext context) {
    long n = add.y().size();
    Launch launch = context.kernel(FILE, "add").tensor(add.a()).tensor(add.b()).tensor(add.y());
    over(launch.number(n), n, context);
  }

  private static void gelu(Gelu gelu, LaunchContext context) {
    long n = gelu.x().size();
    Launch launch = kernel("gelu", gelu.x(), gelu.y(), context);
    over(launch.elements(gelu.x()).elements(gelu.y()).number(n), n, context);
  }

  private static void geluBackward(GeluBackward gelu, LaunchContext context) {
    long n = gelu.x().size();
    Launch launch = kernel("geluBackward", gelu.x(), null, context);
    launch.elements(gelu.x()).tensor(gelu.dy());
    over(launch.tensor(gelu.dx()).number(n), n, context);
  }

  private static void exactGelu(ExactGelu gelu, LaunchContext context) {
    long n = gelu.x().size();
    Launch launch = kernel("exactGelu", gelu.x(), gelu.y(), context);
    over(launch.elements(gelu.x()).elements(gelu.y()).number(n), n, context);
  }

  private static void exactGeluBackward(ExactGeluBackward gelu, LaunchContext context) {
    long n = gelu.x().size();
    Launch launch = kernel("exactGeluBackward", gelu.x(), null, context);
    launch.elements(gelu.x()).tensor(gelu.dy());
    over(launch.tensor(gelu.dx()).number(n), n, context);
  }

  private static void over(Launch launch, long n, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    int items = tunables.get("ITEMS");
    int group = items * tunables.get("VECTORS") * tunables.get("WIDTH");
    launch.over(Launch.groups(n, group), items);
  }

  private static void dropout(DropoutApply dropout, LaunchContext context) {
    long n = dropout.x().size();
    Map<String, Integer> tunables = context.tunables(FILE);
    int items = tunables.get("ITEMS");
    int words = words(tunables);
    int steps = Math.max(1, tunables.get("VECTORS") * tunables.get("WIDTH") / words);
    long skew = dropout.firstElement() & 3;
    context
        .kernel(FILE, "dropout")
        .tensor(dropout.x())
        .tensor(dropout.y())
        .number(n)
        .number(dropout.firstElement())
        .number(dropout.threshold())
        .number(dropout.scale())
        .number(dropout.seedLow())
        .number(dropout.seedHigh())
        .number(dropout.site())
        .number(dropout.step())
        .over(Launch.groups(n + skew, (long) words * items * steps), items);
  }

  /** WORDS of {@code philox.cl}: 4 of a counter, 2 WIDTH of a set of counters. */
  private static int words(Map<String, Integer> tunables) {
    int width = tunables.get("WIDTH");
    if (tunables.get("ITEMS") > 1 || width < 4) {
      return 4;
    }
    int sets = width == 16 ? 6 : 3;
    return sets * 2 * width;
  }
}
