package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.AdamW;

/** Launches of {@code adamw.cl}. */
public final class AdamWKernels {
  private static final String FILE = "adamw.cl";

  private AdamWKernels() {}

  public static List<Specialisation<?>> all() {
    return List.of(KernelLaunch.of(AdamW.class, FILE, AdamWKernels::enqueue));
  }

  private static void enqueue(AdamW step, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    int items = tunables.get("ITEMS");
    int group = items * tunables.get("VECTORS") * tunables.get("WIDTH");
    Map<String, Integer> macros = new HashMap<>(tunables);
    macros.put("ROUNDED", step.rounded() == null ? 0 : 1);
    Elements.define(macros, "ROUNDED_BF16", step.rounded());
    context
        .kernel(FILE, "adamw", macros)
        .tensor(step.parameters())
        .tensor(step.gradients())
        .tensor(step.firstMoment())
        .tensor(step.secondMoment())
        .elements(step.rounded())
        .tensor(step.squaredNorm())
        .number(step.parameters().size())
        .number(step.decayed())
        .number(step.learningRate())
        .number(step.weightDecay())
        .number(step.beta1())
        .number(step.beta2())
        .number(step.epsilon())
        .number(step.clip())
        .number(step.inverseCorrection1())
        .number(step.inverseCorrection2())
        .over(Launch.groups(step.parameters().size(), group), items);
  }
}
