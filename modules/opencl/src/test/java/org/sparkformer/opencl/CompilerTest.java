package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.IntBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;

class CompilerTest {
  private static final Duration LIMIT = Duration.ofMinutes(1);

  @Test
  void aFailedBuildSaysTheCompilersErrorInOneLineAndCarriesTheWholeLog() {
    KernelSource broken = new KernelSource("broken.cl", "__kernel void f() { undeclared = 1; }");
    try (DeviceQueue queue = DeviceQueue.open(Devices.select(DeviceSelector.AUTO), 0, 1)) {
      ProgramBuildException refused =
          assertThrows(
              ProgramBuildException.class,
              () -> new Compiler(queue, ProgramCache.none()).build(broken, "-D WIDTH=4"));
      String message = refused.getMessage();
      assertEquals(1, message.lines().count(), message);
      assertTrue(refused.getCause().getMessage().contains("undeclared"), refused.toString());
      assertTrue(
          message.contains("broken.cl")
              && message.contains("undeclared")
              && message.contains("CL_BUILD_PROGRAM_FAILURE")
              && message.contains("WIDTH=4"),
          message);
    }
  }

  /**
   * Else a rank that is interrupted closes its context under the compiler, and the process dies.
   */
  @Test
  void whoIsInterruptedWhileABuildWaitsForItsTurnLeavesNoneBehind() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    Thread busy = new Thread(() -> Compiling.alone(() -> awaitQuietly(end)));
    busy.setDaemon(true);
    busy.start();
    try (DeviceQueue queue = DeviceQueue.open(Devices.select(DeviceSelector.AUTO), 0, 1)) {
      await(() -> busy.getState() == Thread.State.WAITING);
      long references = references(queue);
      Builder builder = new Builder(queue, "__kernel void f() {}");
      await(() -> builder.compiler.getState() == Thread.State.WAITING);
      builder.thread.interrupt();
      builder.thread.join(TimeUnit.SECONDS.toMillis(1));
      assertTrue(builder.thread.isAlive(), "it waits for its build");
      end.countDown();
      builder.assertInterrupted();
      assertEquals(references, references(queue), "programs in the context");
    } finally {
      end.countDown();
    }
  }

  @Test
  void aProgramWhoseBuilderIsInterruptedIsReleased() throws Exception {
    String statements = "x = x * x + get_global_id(0); y[x & 7] = x;\n".repeat(3000);
    String text = "__kernel void f(__global int *y) { int x = 1;\n" + statements + "}";
    try (DeviceQueue queue = DeviceQueue.open(Devices.select(DeviceSelector.AUTO), 0, 1)) {
      long references = references(queue);
      Builder builder = new Builder(queue, text);
      await(builder::isInTheDriver);
      builder.thread.interrupt();
      builder.assertInterrupted();
      assertEquals(references, references(queue), "programs in the context");
    }
  }

  /** A thread that builds a program, and the compiler's own, which does it. */
  private static final class Builder {
    private final AtomicReference<Throwable> thrown = new AtomicReference<>();
    private final Thread thread;
    private final Thread compiler;

    Builder(DeviceQueue queue, String text) throws InterruptedException {
      KernelSource source = new KernelSource("built.cl", text);
      thread = new Thread(() -> new Compiler(queue, ProgramCache.none()).build(source, ""));
      thread.setUncaughtExceptionHandler((ignored, error) -> thrown.set(error));
      thread.setDaemon(true);
      thread.start();
      await(() -> compilers().size() == 1);
      compiler = compilers().get(0);
    }

    private static List<Thread> compilers() {
      return Thread.getAllStackTraces().keySet().stream()
          .filter(thread -> thread.getName().equals("opencl-compiler"))
          .toList();
    }

    boolean isInTheDriver() {
      return Arrays.stream(compiler.getStackTrace())
          .anyMatch(frame -> frame.getMethodName().equals("nclBuildProgram"));
    }

    void assertInterrupted() throws InterruptedException {
      thread.join(LIMIT.toMillis());
      assertFalse(thread.isAlive() || compiler.isAlive(), "its build has ended before it goes on");
      assertTrue(thrown.get().getMessage().contains("interrupted"), thrown.toString());
    }
  }

  /** Of the queue, and of each program that is not released. */
  private static long references(DeviceQueue queue) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer count = stack.mallocInt(1);
      Status.check(
          CL10.clGetContextInfo(queue.context(), CL10.CL_CONTEXT_REFERENCE_COUNT, count, null),
          "count a context's references");
      return count.get(0);
    }
  }

  private static boolean awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return true;
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + LIMIT.toNanos();
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < end, "waited for too long");
      Thread.sleep(1);
    }
  }

  @Test
  void aMissingKernelIsNamed() {
    try (DeviceQueue queue = DeviceQueue.open(Devices.select(DeviceSelector.AUTO), 0, 1);
        Programs programs = new Programs(new Compiler(queue, ProgramCache.none()))) {
      String message =
          assertThrows(
                  OpenClException.class,
                  () -> programs.kernel("reduce.cl", "noSuchKernel", Map.of()))
              .getMessage();
      assertTrue(message.contains("noSuchKernel") && message.contains("reduce.cl"), message);
    }
  }
}
