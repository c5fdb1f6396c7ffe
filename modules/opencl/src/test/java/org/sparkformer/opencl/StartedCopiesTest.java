package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL11;
import org.lwjgl.opencl.CL12;
import org.lwjgl.system.MemoryStack;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.HostMemory;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;

/**
 * Copies beside the kernels of a device that is taken for a GPU. A queue is held where a test has
 * to know what another one does meanwhile.
 */
class StartedCopiesTest {
  private static final int SIZE = 1 << 12;
  private static final int HALF = SIZE / 2;

  /** What would run by mistake has run within it. */
  private static final long MILLISECONDS = 100;

  /** What nothing holds has run within it, on a busy machine too. */
  private static final long LONGEST_MILLISECONDS = 10_000;

  private final Set<Long> held = new HashSet<>();

  private DeviceQueue queue;
  private BufferPool pool;
  private Transfers transfers;
  private CopyQueue reads;
  private CopyQueue writes;
  private StartedCopies copies;

  @BeforeEach
  void open() {
    OpenClDevice device = DeviceGuise.gpu(Devices.select(DeviceSelector.AUTO));
    queue = DeviceQueue.open(device, 0, 1);
    pool = new BufferPool(queue, device.info().memory().global());
    transfers = new Transfers(queue, pool);
    reads = new CopyQueue(queue);
    writes = new CopyQueue(queue);
    copies = new StartedCopies(queue, pool, reads, writes);
  }

  @AfterEach
  void close() {
    List.copyOf(held).forEach(this::letGo);
    queue.finish();
    copies.finish();
    transfers.settle();
    copies.close();
    pool.close();
    queue.close();
  }

  private Tensor tensor(int size) {
    return new Tensor(pool.take(size * Float.BYTES), DType.FLOAT32, 0, Shape.of(size));
  }

  private static ByteBuffer host(float value, int size) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(size * Float.BYTES).order(ByteOrder.nativeOrder());
    bytes.asFloatBuffer().put(floats(value, size));
    return bytes;
  }

  private static float[] floats(float value, int size) {
    float[] values = new float[size];
    Arrays.fill(values, value);
    return values;
  }

  /** Queues a copy in order with kernels, as a kernel that writes. */
  private void write(Tensor tensor, float value) {
    transfers.write(tensor, host(value, (int) tensor.size()));
  }

  private static float[] content(ByteBuffer bytes) {
    float[] values = new float[bytes.capacity() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  private float[] content(Tensor tensor) {
    ByteBuffer bytes = host(0, (int) tensor.size());
    transfers.read(tensor, bytes);
    return content(bytes);
  }

  /** Holds what a queue is given from here on, until the event that is returned is let go. */
  private long hold(long id) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      long event = CL11.clCreateUserEvent(queue.context(), stack.mallocInt(1));
      held.add(event);
      Status.check(
          CL12.clEnqueueBarrierWithWaitList(id, stack.pointers(event), null), "hold a queue");
      return event;
    }
  }

  private void letGo(long event) {
    held.remove(event);
    Status.check(CL11.clSetUserEventStatus(event, CL10.CL_COMPLETE), "let go of a queue");
    CL10.clReleaseEvent(event);
  }

  /** Whether all that the first queue was given so far is done within such a time. */
  private boolean isDoneWithin(long milliseconds) throws InterruptedException {
    EventMark mark = EventMark.enqueue(queue);
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(milliseconds);
    while (!mark.isReached() && System.nanoTime() < end) {
      Thread.sleep(1);
    }
    return mark.isReached();
  }

  @Test
  void kernelsOnOtherMemoryDoNotWaitForACopyAndThoseOnItsMemoryDo() throws Exception {
    ByteBuffer out = host(0, HALF);
    try (Tensor x = tensor(SIZE)) {
      write(x, 1);
      long held = hold(reads.id());
      Backend.Pending copy = copies.startRead(x.view(0, HALF), out);
      write(x.view(HALF, HALF), 2);
      final boolean otherMemory = isDoneWithin(LONGEST_MILLISECONDS);
      write(x.view(HALF - 1, 2), 3);
      final boolean sameMemory = isDoneWithin(MILLISECONDS);
      letGo(held);
      copy.await();
      assertTrue(otherMemory, "a kernel on other memory waited for the copy");
      assertFalse(sameMemory, "a kernel on its memory did not wait for the copy");
      assertArrayEquals(floats(1, HALF), content(out));
      assertArrayEquals(new float[] {1, 3, 3, 2}, content(x.view(HALF - 2, 4)));
    }
  }

  @Test
  void memoryThatIsTakenAgainIsWrittenAfterItsCopy() throws Exception {
    ByteBuffer out = host(0, SIZE);
    Tensor x = tensor(SIZE);
    write(x, 1);
    final long held = hold(reads.id());
    Backend.Pending copy = copies.startRead(x, out);
    x.close();
    try (Tensor next = tensor(SIZE)) {
      write(next, 2);
      final boolean early = isDoneWithin(MILLISECONDS);
      letGo(held);
      copy.await();
      assertFalse(early);
      assertArrayEquals(floats(1, SIZE), content(out));
      assertArrayEquals(floats(2, SIZE), content(next));
    }
  }

  @Test
  void aCopyWaitsForWhatTheDeviceWasGivenBefore() throws Exception {
    ByteBuffer out = host(0, SIZE);
    try (Tensor x = tensor(SIZE)) {
      write(x, 1);
      long held = hold(queue.queue());
      write(x, 2);
      Backend.Pending copy = copies.startRead(x, out);
      Thread.sleep(MILLISECONDS);
      letGo(held);
      copy.await();
      assertArrayEquals(floats(2, SIZE), content(out));
    }
  }

  @Test
  void whatIsCopiedToTheDeviceIsThereForKernelsQueuedLater() throws Exception {
    ByteBuffer out = host(0, SIZE);
    try (Tensor x = tensor(SIZE)) {
      write(x, 1);
      long held = hold(writes.id());
      final Backend.Pending there = copies.startWrite(x, host(2, SIZE));
      final Backend.Pending back =
          copies.startRead(x.view(1, SIZE - 1), out.slice(4, 4 * SIZE - 4));
      write(x.view(0, 1), 3);
      Thread.sleep(MILLISECONDS);
      letGo(held);
      there.await();
      back.await();
      assertArrayEquals(new float[] {3, 2, 2}, content(x.view(0, 3)));
      assertArrayEquals(new float[] {0, 2, 2}, Arrays.copyOf(content(out), 3));
    }
  }

  @Test
  void aTraceTellsCopiesByTheirQueues() {
    try (Tensor x = tensor(SIZE);
        Tensor y = tensor(SIZE)) {
      queue.activity().startTrace();
      copies.startRead(x, host(0, SIZE)).await();
      copies.startWrite(y, host(1, SIZE)).await();
      List<TracedCommand> trace = queue.activity().endTrace();
      assertEquals(
          List.of(TracedCommand.Queue.READS, TracedCommand.Queue.WRITES),
          trace.stream().map(TracedCommand::queue).toList());
      assertTrue(trace.stream().allMatch(copy -> copy.start() < copy.end()), trace::toString);
    }
  }

  @Test
  void waitsAreCountedForWhatIsNotOverAndForNothingElse() throws Exception {
    try (Tensor x = tensor(SIZE)) {
      write(x, 1);
      long held = hold(reads.id());
      Backend.Pending copy = copies.startRead(x, host(0, SIZE));
      assertEquals(List.of(1L, 0L), waitsOf(copy, held));
      copy.await();
      held = hold(queue.queue());
      EventMark mark = EventMark.enqueue(queue);
      assertEquals(List.of(2L, 1L), waitsOf(mark, held));
      mark.await();
      queue.finish();
      assertEquals(3, queue.activity().counts().waits());
    }
  }

  /** Waits, and those for marks, counted while a thread waits for what is held; then lets go. */
  private List<Long> waitsOf(Backend.Pending pending, long held) throws Exception {
    long before = queue.activity().counts().waits();
    CompletableFuture<Void> waiting = CompletableFuture.runAsync(pending::await);
    for (int i = 0; i < 20 && queue.activity().counts().waits() == before; i++) {
      Thread.sleep(MILLISECONDS);
    }
    DeviceActivity counts = queue.activity().counts();
    letGo(held);
    waiting.join();
    return List.of(counts.waits(), counts.markWaits());
  }

  @Test
  void lockedHostMemoryIsCopiedToAndFrom() {
    try (Tensor x = tensor(SIZE);
        HostMemory memory = copies.hostMemory(SIZE * Float.BYTES);
        HostMemory nothing = copies.hostMemory(0)) {
      assertEquals(0, nothing.bytes().capacity());
      assertEquals(SIZE * Float.BYTES, memory.bytes().capacity());
      assertEquals(ByteOrder.nativeOrder(), memory.bytes().order());
      memory.bytes().asFloatBuffer().put(floats(5, SIZE));
      copies.startWrite(x, memory.bytes()).await();
      memory.bytes().asFloatBuffer().put(floats(6, SIZE));
      copies.startRead(x, memory.bytes()).await();
      assertArrayEquals(floats(5, SIZE), content(memory.bytes()));
    }
    assertEquals(3, queue.activity().counts().buffers());
  }

  @Test
  void lockedHostMemoryIsNotGivenBackUnderACopy() throws Exception {
    try (Tensor x = tensor(SIZE)) {
      HostMemory memory = copies.hostMemory(SIZE * Float.BYTES);
      long held = hold(reads.id());
      copies.startRead(x, memory.bytes());
      CompletableFuture<Void> closed = CompletableFuture.runAsync(memory::close);
      Thread.sleep(MILLISECONDS);
      final boolean early = closed.isDone();
      letGo(held);
      closed.join();
      assertFalse(early);
    }
  }
}
