package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

class CompilerTest {

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
    KernelSource plain = new KernelSource("plain.cl", "__kernel void f() {}");
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    CountDownLatch end = new CountDownLatch(1);
    Thread busy = new Thread(() -> Compiling.alone(() -> awaitQuietly(end)));
    busy.start();
    await(() -> busy.getState() == Thread.State.WAITING);
    try (DeviceQueue queue = DeviceQueue.open(Devices.select(DeviceSelector.AUTO), 0, 1)) {
      Compiler compiler = new Compiler(queue, ProgramCache.none());
      Thread builder = new Thread(() -> compiler.build(plain, ""));
      builder.setUncaughtExceptionHandler((thread, error) -> thrown.set(error));
      builder.start();
      await(() -> builders().size() == 1);
      Thread build = builders().get(0);
      await(() -> build.getState() == Thread.State.WAITING);
      builder.interrupt();
      builder.join(TimeUnit.SECONDS.toMillis(1));
      boolean waited = builder.isAlive();
      end.countDown();
      builder.join();
      assertTrue(waited && !build.isAlive(), "its build has ended before it goes on");
    }
    assertTrue(thrown.get().getMessage().contains("interrupted"), thrown.toString());
  }

  private static List<Thread> builders() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("opencl-compiler"))
        .toList();
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
    while (!condition.getAsBoolean()) {
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
