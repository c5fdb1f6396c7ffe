package org.sparkformer.opencl.kernels;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Add;
import org.sparkformer.tensor.ops.Copy;
import org.sparkformer.tensor.ops.DropoutApply;
import org.sparkformer.tensor.ops.ExactGeluBackward;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.ops.GeluBackward;

/** Launches of {@code elementwise.cl}. */
public final class ElementwiseKernels {
  private static final String FILE = "elementwise.cl";
  private static final int ALIGNED_WIDTH = 4;

  private ElementwiseKernels() {}

  public static List<Specialisation<?>> all() {
    return List.of(
        KernelLaunch.of(Fill.class, FILE, ElementwiseKernels::fill),
        KernelLaunch.of(Copy.class, FILE, ElementwiseKernels::copy),
        KernelLaunch.of(Add.class, FILE, ElementwiseKernels::add),
        KernelLaunch.of(GeluBackward.class, FILE, ElementwiseKernels::geluBackward),
        KernelLaunch.of(ExactGeluBackward.class, FILE, ElementwiseKernels::exactGeluBackward),
        KernelLaunch.of(DropoutApply.class, FILE, ElementwiseKernels::dropout));
  }

  private static void fill(Fill fill, LaunchContext context) {
    Map<String, Integer> macros = macros(context, fill.x());
    Launch launch = context.kernel(FILE, "fill", macros).tensor(fill.x());
    over(launch.number(fill.x().size()).number(fill.value()), fill.x(), macros);
  }

  /** Queues a copy, between tensors of either type. */
  public static void copy(Copy copy, LaunchContext context) {
    Map<String, Integer> macros = macros(context, copy.x(), copy.y());
    Elements.define(macros, "X_BF16", copy.x());
    Elements.define(macros, "Y_BF16", copy.y());
    Launch launch = context.kernel(FILE, "copy", macros).elements(copy.x()).elements(copy.y());
    over(launch.number(copy.x().size()), copy.x(), macros);
  }

  private static void add(Add add, LaunchContext context) {
    Map<String, Integer> macros = macros(context, add.a(), add.b(), add.y());
    Elements.define(macros, "X_BF16", add.b());
    Launch launch =
        context.kernel(FILE, "add", macros).tensor(add.a()).elements(add.b()).tensor(add.y());
    over(launch.number(add.y().size()), add.y(), macros);
  }

  private static void geluBackward(GeluBackward gelu, LaunchContext context) {
    slope("geluBackward", gelu.x(), gelu.dy(), gelu.dx(), gelu.activated(), context);
  }

  private static void exactGeluBackward(ExactGeluBackward gelu, LaunchContext context) {
    slope("exactGeluBackward", gelu.x(), gelu.dy(), gelu.dx(), gelu.activated(), context);
  }

  /**
   * Queues a kernel of x, of either type, and its gradients, of either type too.
   *
   * @param activated null or what receives x activated, of x's type
   */
  private static void slope(
      String name, Tensor x, Tensor dy, Tensor dx, Tensor activated, LaunchContext context) {
    Map<String, Integer> macros = macros(context, x, dy, dx, activated == null ? x : activated);
    Elements.define(macros, "X_BF16", x);
    Elements.define(macros, "Y_BF16", dx);
    macros.put("ACTIVATED", activated == null ? 0 : 1);
    Launch launch =
        context
            .kernel(FILE, name, macros)
            .elements(x)
            .elements(dy)
            .elements(dx)
            .elements(activated);
    over(launch.number(x.size()), x, macros);
  }

  /**
   * Tunables; on a GPU with vectors of 4 at least where all tensors start at a multiple of them.
   */
  private static Map<String, Integer> macros(LaunchContext context, Tensor... tensors) {
    Map<String, Integer> macros = new HashMap<>(context.tunables(FILE));
    int width = Math.max(ALIGNED_WIDTH, macros.get("WIDTH"));
    boolean aligned = Arrays.stream(tensors).allMatch(tensor -> tensor.offset() % width == 0);
    if (context.device().kind() != DeviceInfo.Kind.CPU && aligned) {
      macros.put("VECTORS", Math.max(1, macros.get("VECTORS") * macros.get("WIDTH") / width));
      macros.put("WIDTH", width);
      macros.put("ALIGNED", 1);
    }
    return macros;
  }

  private static void over(Launch launch, Tensor elements, Map<String, Integer> macros) {
    int items = macros.get("ITEMS");
    int group = items * macros.get("VECTORS") * macros.get("WIDTH");
    launch.over(Launch.groups(elements.size(), group), items);
  }

  private static void dropout(DropoutApply dropout, LaunchContext context) {
    long n = dropout.x().size();
    Map<String, Integer> tunables = context.tunables(FILE);
    int items = tunables.get("ITEMS");
    int words = words(tunables);
    int steps = Math.max(1, tunables.get("VECTORS") * tunables.get("WIDTH") / words);
    long skew = dropout.firstElement() & 3;
    Launch launch =
        context.kernel(FILE, "dropout").tensor(dropout.x()).tensor(dropout.y()).number(n);
    Dropouts.pass(launch, dropout.dropout())
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
