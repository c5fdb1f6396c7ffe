package org.sparkformer.opencl;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/** Builds programs for one device. */
final class Compiler {
  /**
   * Denormals cost a CPU a factor of 100, and no result of training needs them. Nothing faster and
   * looser than that: NaN and infinity must survive for the training loop to see them.
   */
  private static final String OPTIONS = "-cl-std=CL1.2 -cl-denorms-are-zero";

  /** The drivers' compilers run in the calling thread and recurse deeply. */
  private static final long STACK_BYTES = 256L << 20;

  private static final long NOT_BUILT = 0;

  private final DeviceQueue queue;
  private final ProgramCache cache;

  Compiler(DeviceQueue queue, ProgramCache cache) {
    this.queue = queue;
    this.cache = cache;
  }

  /**
   * A built program, which the caller releases. Whoever is interrupted here may release the context
   * next, so this ends only when nothing is built in it any more.
   */
  long build(KernelSource source, String macros) {
    String options = (OPTIONS + " " + macros).trim();
    AtomicBoolean abandoned = new AtomicBoolean();
    FutureTask<Long> task =
        new FutureTask<>(
            () -> Compiling.alone(() -> abandoned.get() ? NOT_BUILT : load(source, options)));
    Thread thread = new Thread(null, task, "opencl-compiler", STACK_BYTES);
    thread.setDaemon(true);
    thread.start();
    boolean interrupted = awaitEnd(thread, abandoned);
    long program = result(task, source);
    if (interrupted) {
      if (program != NOT_BUILT) {
        CL10.clReleaseProgram(program);
      }
      throw new OpenClException("interrupted while building " + source.name());
    }
    return program;
  }

  /** Whether the calling thread was interrupted meanwhile, as it then still is. */
  private static boolean awaitEnd(Thread build, AtomicBoolean abandoned) {
    boolean interrupted = false;
    while (build.isAlive()) {
      try {
        build.join();
      } catch (InterruptedException e) {
        // A build that has begun cannot be stopped.
        interrupted = true;
        abandoned.set(true);
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return interrupted;
  }

  /** Of a task that has ended. */
  private static long result(FutureTask<Long> task, KernelSource source) {
    try {
      return task.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof OpenClException known
          ? known
          : new OpenClException("cannot build " + source.name(), e.getCause());
    } catch (InterruptedException e) {
      throw new IllegalStateException("a task that has ended does not wait", e);
    }
  }

  private long load(KernelSource source, String options) {
    DeviceInfo device = queue.device().info();
    ProgramCache.Key key = ProgramCache.Key.of(source, options, device);
    byte[] binary = cache.find(key).orElse(null);
    if (binary != null) {
      long program = fromCache(binary, options);
      if (program != 0) {
        return program;
      }
    }
    long program = fromSource(source, options);
    cache.store(key, () -> binary(program));
    return program;
  }

  private long fromSource(KernelSource source, String options) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer status = stack.mallocInt(1);
      long program = CL10.clCreateProgramWithSource(queue.context(), source.text(), status);
      Status.check(status, "create the program " + source.name());
      build(program, source.name(), options);
      return HopperPtx.isNeeded(source, queue.device().info())
          ? fromPtx(program, source.name())
          : program;
    }
  }

  /** Made anew from the PTX that it was compiled to; see {@link HopperPtx}. */
  private long fromPtx(long compiled, String name) {
    byte[] ptx;
    try {
      // Latin 1 keeps all bytes, whatever the text ends with.
      ptx = HopperPtx.of(new String(binary(compiled), ISO_8859_1)).getBytes(ISO_8859_1);
    } finally {
      CL10.clReleaseProgram(compiled);
    }
    int[] status = new int[1];
    long program = create(ptx, status);
    Status.check(status[0], "load the PTX of " + name + " for sm_90a");
    build(program, name + " as PTX for sm_90a", "");
    return program;
  }

  /** Releases the program where the compiler refuses it. */
  private void build(long program, String name, String options) {
    int built = CL10.clBuildProgram(program, queue.id(), options, null, 0);
    if (built != CL10.CL_SUCCESS) {
      BuildLog log = new BuildLog(buildLog(program));
      CL10.clReleaseProgram(program);
      throw new ProgramBuildException(
          "cannot build %s for %s with '%s': %s: %s"
              .formatted(
                  name, queue.device().info().name(), options, Status.name(built), log.excerpt()),
          new OpenClException("the compiler's log:\n" + log.text()));
    }
  }

  /** 0 where the driver does not take the binary, for instance after an update. */
  private long fromCache(byte[] binary, String options) {
    int[] status = new int[1];
    long program = create(binary, status);
    if (status[0] != CL10.CL_SUCCESS) {
      return 0;
    }
    if (CL10.clBuildProgram(program, queue.id(), options, null, 0) == CL10.CL_SUCCESS) {
      return program;
    }
    CL10.clReleaseProgram(program);
    return 0;
  }

  private long create(byte[] binary, int[] status) {
    ByteBuffer bytes = MemoryUtil.memAlloc(binary.length);
    try (MemoryStack stack = MemoryStack.stackPush()) {
      bytes.put(binary).flip();
      IntBuffer result = stack.mallocInt(1);
      long program =
          CL10.clCreateProgramWithBinary(
              queue.context(), stack.pointers(queue.id()), bytes, stack.mallocInt(1), result);
      status[0] = result.get(0);
      return program;
    } finally {
      MemoryUtil.memFree(bytes);
    }
  }

  private byte[] binary(long program) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer size = stack.mallocPointer(1);
      Status.check(
          CL10.clGetProgramInfo(program, CL10.CL_PROGRAM_BINARY_SIZES, size, null),
          "ask for the size of a program's binary");
      ByteBuffer bytes = MemoryUtil.memAlloc((int) size.get(0));
      try {
        Status.check(
            CL10.clGetProgramInfo(program, CL10.CL_PROGRAM_BINARIES, stack.pointers(bytes), null),
            "ask for a program's binary");
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        return copy;
      } finally {
        MemoryUtil.memFree(bytes);
      }
    }
  }

  private String buildLog(long program) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer size = stack.mallocPointer(1);
      Status.check(
          CL10.clGetProgramBuildInfo(
              program, queue.id(), CL10.CL_PROGRAM_BUILD_LOG, (ByteBuffer) null, size),
          "read a build log");
      ByteBuffer log = MemoryUtil.memAlloc((int) size.get(0));
      try {
        Status.check(
            CL10.clGetProgramBuildInfo(program, queue.id(), CL10.CL_PROGRAM_BUILD_LOG, log, null),
            "read a build log");
        return MemoryUtil.memUTF8(log).replace("\0", "");
      } finally {
        MemoryUtil.memFree(log);
      }
    }
  }
}
