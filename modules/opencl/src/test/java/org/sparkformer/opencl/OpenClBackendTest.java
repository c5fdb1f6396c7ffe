package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.tensor.BFloat16;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.OutOfDeviceMemoryException;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Add;
import org.sparkformer.tensor.ops.Copy;
import org.sparkformer.tensor.ops.Fill;

/** These tests need an OpenCL device and fail without one. */
class OpenClBackendTest {
  private OpenClBackend backend;

  @BeforeEach
  void open() {
    backend = OpenClBackend.open(DeviceSelector.AUTO);
  }

  @AfterEach
  void close() {
    backend.close();
  }

  /** Ranks compare it, and what a processor is allowed to use need not show in its name. */
  @Test
  void theNameThatRanksCompareTellsWhatTheProcessorMultipliesWith() {
    try (OpenClBackend backend = OpenClBackend.open(new DeviceSelector("cpu"))) {
      assertEquals(
          HostArithmetic.TILES.isAvailable(),
          backend.rounding().contains("(bf16 by AMX) (fp32 by AMX)"));
      assertEquals(
          HostArithmetic.PAIRS.isAvailable(), backend.rounding().contains("(bf16 by AVX512_BF16)"));
    }
  }

  @Test
  void aViewMayStartAtAnyElement() {
    try (Tensor x = backend.floats(11)) {
      backend.write(x, new float[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
      backend.run(new Add(x.view(1, 3), x.view(7, 3), x.view(4, 3)));
      assertArrayEquals(new float[] {0, 1, 2, 3, 8, 10, 12, 7, 8, 9, 10}, backend.readFloats(x));
      assertArrayEquals(new float[] {10, 12}, backend.readFloats(x.view(5, 2)));
    }
  }

  @Test
  void countsWhatIsAskedOfTheDeviceAndTracesKernels() {
    try (Tensor x = backend.floats(1000)) {
      // A kernel's first launch waits.
      backend.run(new Fill(x, 1));
      backend.run(new Add(x, x, x));
      DeviceActivity before = backend.activity();
      backend.startTrace();
      backend.run(new Fill(x, 2));
      backend.run(new Add(x, x, x));
      List<TracedCommand> trace = backend.endTrace();
      backend.readFloats(x);
      backend.run(new Fill(x, 3));
      DeviceActivity done = backend.activity().since(before);
      assertEquals(
          List.of("elementwise.cl:fill", "elementwise.cl:add"),
          trace.stream().map(TracedCommand::name).toList());
      assertTrue(trace.get(0).start() <= trace.get(0).end());
      assertTrue(trace.get(0).end() <= trace.get(1).start());
      assertEquals(
          new DeviceActivity(3, 1, 0, 0, 2, 0, 0), done, "waits: the trace's end and the read");
    }
  }

  @Test
  void tracesCopiesOfEveryKindWithTheirQueues() {
    ByteBuffer bytes = ByteBuffer.allocateDirect(64).order(ByteOrder.nativeOrder());
    ByteBuffer large = ByteBuffer.allocateDirect(17 << 20).order(ByteOrder.nativeOrder());
    boolean beside = backend.device().kind() != DeviceInfo.Kind.CPU;
    try (Tensor x = backend.floats(16);
        Tensor y = backend.floats((17 << 20) / 4)) {
      backend.startTrace();
      backend.write(x, bytes.duplicate());
      backend.startWrite(x, bytes.duplicate());
      backend.startRead(x, bytes.duplicate());
      backend.read(x, bytes.duplicate());
      backend.readBeside(x, bytes.duplicate());
      backend.write(y, large);
      assertEquals(
          List.of(
              "FIRST write 64",
              (beside ? "WRITES" : "FIRST") + " started write 64",
              (beside ? "READS" : "FIRST") + " started read 64",
              "FIRST read 64",
              "SIDE read beside 64",
              "FIRST write 17825792"),
          backend.endTrace().stream()
              .filter(TracedCommand::isCopy)
              .map(copy -> copy.queue() + " " + copy.name() + " " + copy.bytes())
              .toList());
    }
  }

  @Test
  void aPartOfADefinitionLeavesTheRestAsItIs() {
    try (Tensor x = backend.floats(200_000);
        Tensor y = backend.floats(200_000)) {
      backend.run(new Fill(x, 1));
      backend.run(new Fill(y, 2));
      Add add = new Add(x, y, y);
      backend.runDefinition(add, List.of(new WorkItems(1, 3), new WorkItems(99, 100_001)));
      float[] sums = backend.readFloats(y);
      for (int i = 0; i < sums.length; i++) {
        boolean added = (i >= 1 && i < 4) || (i >= 99 && i < 100_100);
        assertEquals(added ? 3 : 2, sums[i], "element " + i);
      }
    }
  }

  @Test
  void theCallerMayReuseABufferRightAfterWriting() {
    try (Tensor x = backend.floats(1 << 20);
        Tensor y = backend.floats(16)) {
      ByteBuffer bytes = ByteBuffer.allocateDirect(64).order(ByteOrder.nativeOrder());
      for (int i = 0; i < 50; i++) {
        backend.run(new Fill(x, i));
      }
      bytes.asFloatBuffer().put(new float[16]);
      backend.write(y, bytes);
      for (int i = 0; i < 64; i++) {
        bytes.put(i, (byte) 0x55);
      }
      assertArrayEquals(new float[16], backend.readFloats(y));
    }
  }

  @Test
  void heapBuffersOfSeveralPiecesAreWrittenAndReadWhole() {
    int size = (16 << 20) / 4 * 2 + 7;
    ByteBuffer bytes = ByteBuffer.allocate(size * 4).order(ByteOrder.nativeOrder());
    for (int i = 0; i < size; i++) {
      bytes.putFloat(i * 4, i % 1_000_003);
    }
    try (Tensor x = backend.floats(size + 3)) {
      backend.write(x.view(3, size), bytes.duplicate().order(ByteOrder.nativeOrder()));
      ByteBuffer back = ByteBuffer.allocate(size * 4).order(ByteOrder.nativeOrder());
      backend.read(x.view(3, size), back);
      assertEquals(-1, bytes.mismatch(back));
    }
  }

  @Test
  void startedCopiesAreInOrderWithKernelsAndWaitedForOnAnotherThread() {
    int size = 1 << 20;
    ByteBuffer out = ByteBuffer.allocateDirect(size * 4).order(ByteOrder.nativeOrder());
    ByteBuffer in = ByteBuffer.allocateDirect(size * 4).order(ByteOrder.nativeOrder());
    for (int i = 0; i < size; i++) {
      in.putFloat(i * 4, i);
    }
    try (Tensor x = backend.floats(size + 5)) {
      backend.run(new Fill(x, 7));
      Backend.Pending before = backend.startRead(x.view(5, size), out);
      Backend.Pending written = backend.startWrite(x.view(5, size), in);
      CompletableFuture.runAsync(before::await).join();
      before.await();
      assertEquals(7f, out.getFloat(4 * (size - 1)));
      backend.startRead(x.view(5, size), out).await();
      written.await();
      assertEquals(-1, in.mismatch(out));
      assertArrayEquals(new float[] {7}, backend.readFloats(x.view(4, 1)));
    }
  }

  @Test
  void aCopyIsNotStartedWithHeapMemory() {
    try (Tensor x = backend.floats(2)) {
      assertThrows(
          IllegalArgumentException.class, () -> backend.startRead(x, ByteBuffer.allocate(8)));
    }
  }

  @Test
  void buffersMayBeLargerThanTwoGibibytes() {
    long size = (1L << 29) + 1001;
    long largest = backend.largestTensorBytes();
    assumeTrue(
        largest >= size * Float.BYTES,
        () -> "the driver refuses buffers over %,d bytes on this machine".formatted(largest));
    try (Tensor x = backend.floats(size)) {
      backend.run(new Fill(x, 1));
      backend.run(new Fill(x.view(size - 3, 2), 2));
      assertArrayEquals(new float[] {1, 2, 2, 1}, backend.readFloats(x.view(size - 4, 4)));
      assertArrayEquals(new float[] {1, 1}, backend.readFloats(x.view(0, 2)));
    }
  }

  @Test
  void memoryComesBackToThePool() {
    for (int i = 0; i < 20; i++) {
      try (Tensor x = backend.floats(1 << 18)) {
        backend.run(new Fill(x, i));
      }
    }
    assertTrue(backend.memory().peakBytes() < 3 << 20, () -> backend.memory().toString());
  }

  @Test
  void theMemoryLimitIsAnErrorThatSaysWhatWasAskedFor() {
    OpenClDevice device = Devices.select(DeviceSelector.AUTO);
    OpenClOptions options = OpenClOptions.defaults().withMemoryLimit(1 << 20);
    try (OpenClBackend small = OpenClBackend.open(device, options)) {
      try (Tensor fits = small.floats(200_000)) {
        assertEquals(200_000, fits.size());
      }
      try (Tensor other = small.floats(100_000);
          Tensor third = small.floats(50_000)) {
        assertEquals(600_000, other.bytes() + third.bytes());
        String message =
            assertThrows(OutOfDeviceMemoryException.class, () -> small.floats(150_000))
                .getMessage();
        assertTrue(message.contains("600,000") && message.contains("1,048,576"), message);
      }
    }
  }

  @Test
  void bfloat16IsRefusedByName() {
    try (Tensor x = backend.allocate(DType.BFLOAT16, Shape.of(4))) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> backend.run(new Fill(x, 1)))
              .getMessage();
      assertTrue(message.contains("BFLOAT16"), message);
    }
  }

  /** In vectors, and one by one. */
  @ParameterizedTest
  @ValueSource(ints = {33, 1})
  void roundsToBfloat16AsTheHostDoes(int times) {
    float[] values =
        new float[] {
          1,
          1.00390625f,
          1.0039064f,
          1.01171875f,
          -1.00390625f,
          3.4e38f,
          -3.4e38f,
          1 / 0f,
          -1 / 0f,
          0,
          -0f,
          Float.NaN,
          Float.intBitsToFloat(0x7f800001),
          Float.MIN_NORMAL
        };
    int size = values.length * times;
    ByteBuffer bytes = ByteBuffer.allocateDirect(2 * size).order(ByteOrder.nativeOrder());
    try (Tensor x = backend.floats(size);
        Tensor y = backend.allocate(DType.BFLOAT16, Shape.of(size))) {
      for (int i = 0; i < times; i++) {
        backend.write(x.view((long) i * values.length, values.length), values);
      }
      backend.run(new Copy(x, y));
      backend.read(y, bytes);
    }
    for (int i = 0; i < size; i++) {
      float value = values[i % values.length];
      assertEquals(BFloat16.round(value), bytes.getShort(2 * i), value + " at " + i);
    }
  }

  @Test
  void tensorsOfAnotherBackendAreRefused() {
    try (OpenClBackend other = OpenClBackend.open(DeviceSelector.AUTO);
        Tensor x = other.floats(4)) {
      assertThrows(IllegalArgumentException.class, () -> backend.run(new Fill(x, 1)));
    }
  }

  @Test
  void marksMeasureTheDevice() {
    try (Tensor x = backend.floats(1 << 22)) {
      Backend.Mark start = backend.mark();
      backend.run(new Fill(x, 1));
      Backend.Mark end = backend.mark();
      assertTrue(end.millisecondsSince(start) > 0);
      backend.finish();
      assertEquals(0, start.millisecondsSince(start));
    }
  }
}
