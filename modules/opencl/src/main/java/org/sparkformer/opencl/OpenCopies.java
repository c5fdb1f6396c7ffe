package org.sparkformer.opencl;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL12;
import org.lwjgl.system.MemoryStack;

/**
 * The copies that are under way beside a queue. What is queued next on memory that one of them
 * reads or writes has to come after it, also where another tensor has that memory by now;
 * everything else need not wait.
 */
final class OpenCopies {
  private final List<Copy> copies = new ArrayList<>();

  private record Copy(BufferRange range, long event) {}

  /** Takes a share of the copy's event. */
  void add(BufferRange range, long event) {
    copies.removeIf(
        copy -> {
          boolean over = EventState.isOver(copy.event());
          if (over) {
            CL10.clReleaseEvent(copy.event());
          }
          return over;
        });
    Status.check(CL10.clRetainEvent(event), "keep the event of a copy");
    copies.add(new Copy(range, event));
  }

  /** Makes what is queued from here on wait for the copies that use this memory. */
  void holdBack(long queue, BufferRange range) {
    if (copies.isEmpty()) {
      return;
    }
    for (Iterator<Copy> each = copies.iterator(); each.hasNext(); ) {
      Copy copy = each.next();
      if (copy.range().overlaps(range)) {
        holdBack(queue, copy.event());
        each.remove();
      }
    }
  }

  private static void holdBack(long queue, long event) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer before = stack.pointers(event);
      Status.check(
          CL12.clEnqueueBarrierWithWaitList(queue, before, null), "queue the wait for a copy");
    } finally {
      CL10.clReleaseEvent(event);
    }
  }

  /** Forgets all copies, once they are done. */
  void clear() {
    copies.forEach(copy -> CL10.clReleaseEvent(copy.event()));
    copies.clear();
  }
}
