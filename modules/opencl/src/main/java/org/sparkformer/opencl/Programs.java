package org.sparkformer.opencl;

import java.nio.IntBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;

/** The programs and kernels of one backend, each built when first asked for. */
final class Programs implements AutoCloseable {
  private final Compiler compiler;
  private final Map<ProgramKey, Long> programs = new HashMap<>();
  private final Map<KernelKey, DeviceKernel> kernels = new HashMap<>();

  Programs(Compiler compiler) {
    this.compiler = compiler;
  }

  private record ProgramKey(String source, Map<String, Integer> macros) {}

  private record KernelKey(ProgramKey program, String entry) {}

  /** A kernel of a {@code .cl} resource. */
  DeviceKernel kernel(String file, String entry, Map<String, Integer> macros) {
    return kernel(file, entry, macros, () -> KernelSource.resource(file));
  }

  DeviceKernel kernel(
      String name, String entry, Map<String, Integer> macros, Supplier<KernelSource> source) {
    KernelKey key = new KernelKey(new ProgramKey(name, macros), entry);
    DeviceKernel kernel = kernels.get(key);
    if (kernel == null) {
      long program =
          programs.computeIfAbsent(
              key.program(), ignored -> compiler.build(source.get(), options(macros)));
      kernel = create(program, name, entry);
      kernels.put(key, kernel);
    }
    return kernel;
  }

  private static DeviceKernel create(long program, String name, String entry) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer status = stack.mallocInt(1);
      long id = CL10.clCreateKernel(program, entry, status);
      Status.check(status, "find kernel " + entry + " in " + name);
      return new DeviceKernel(id, name + ":" + entry);
    }
  }

  private static String options(Map<String, Integer> macros) {
    return new TreeMap<>(macros)
        .entrySet().stream()
            .map(macro -> "-D " + macro.getKey() + "=" + macro.getValue())
            .collect(Collectors.joining(" "));
  }

  @Override
  public void close() {
    kernels.values().forEach(kernel -> CL10.clReleaseKernel(kernel.id()));
    programs.values().forEach(CL10::clReleaseProgram);
    kernels.clear();
    programs.clear();
  }
}
