package org.sparkformer.opencl.contract;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.sparkformer.tensor.BFloat16;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;

/**
 * The named tensors of one run of one operation, each inside a larger one.
 *
 * <p>Values depend on the tensor's name alone, so every backend sees the same. Around each tensor
 * lie guard words, which are NaN: reading them poisons the result, writing them is found. Their
 * number is odd, so that no tensor starts at an aligned element, but for {@link #aligned}.
 */
public final class Workspace implements AutoCloseable {
  private static final int ODD_GUARD = 37;
  private static final int ALIGNED_GUARD = 64;
  private static final float GUARD_WORD = Float.intBitsToFloat(0x7fc5a5a5);
  private static final short HALF_GUARD_WORD = 0x7fc5;
  private static final int INT_GUARD_WORD = 1;

  /** The longest drawn for a name so far: drawing takes longer than most operations do. */
  private static final Map<String, float[]> DRAWN = new ConcurrentHashMap<>();

  /** What is longer is not kept. */
  private static final int LONGEST_KEPT = 1 << 23;

  private final Backend backend;
  private final Map<String, float[]> overrides;
  private final boolean exact;
  private int guard = ODD_GUARD;
  private final Set<String> halves = new HashSet<>();
  private final Map<String, Slot> slots = new LinkedHashMap<>();
  private final Set<String> outputs = new HashSet<>();
  private final Set<String> partial = new HashSet<>();
  private final Set<String> updated = new HashSet<>();

  /** The whole memory, and the part of it that the operation sees. */
  private record Slot(Tensor memory, Tensor tensor) {}

  public Workspace(Backend backend) {
    this(backend, Map.of());
  }

  /**
   * @param overrides values to use instead of the ones that go with a name
   */
  public Workspace(Backend backend, Map<String, float[]> overrides) {
    this(backend, overrides, false);
  }

  private Workspace(Backend backend, Map<String, float[]> overrides, boolean exact) {
    this.backend = backend;
    this.overrides = overrides;
    this.exact = exact;
  }

  /** With fp32 in place of bf16: the same values go in, and what comes out is not rounded. */
  static Workspace exact(Backend backend) {
    return new Workspace(backend, Map.of(), true);
  }

  /** Tensors of these names are bf16; to be said before they are asked for. */
  Workspace bfloat16(String... names) {
    halves.addAll(List.of(names));
    return this;
  }

  /**
   * Tensors start at elements that any vector may start at; to be said before they are asked for.
   */
  Workspace aligned() {
    guard = ALIGNED_GUARD;
    return this;
  }

  /** Whether a tensor is one of {@link #bfloat16}. */
  boolean isBfloat16(String name) {
    return halves.contains(name);
  }

  /** Standard normal values. */
  public Tensor input(String name, long... extents) {
    return given(name, normal(name, extents), extents);
  }

  /** Values that the operation needs to be just these. */
  public Tensor given(String name, float[] values, long... extents) {
    return floats(name, overrides.getOrDefault(name, values), extents);
  }

  /** Values that the operation adds to or replaces in place. */
  public Tensor updated(String name, long... extents) {
    return updatedFrom(name, normal(name, extents), extents);
  }

  /** As {@link #updated}, with values that must be just these. */
  public Tensor updatedFrom(String name, float[] values, long... extents) {
    outputs.add(name);
    updated.add(name);
    return given(name, values, extents);
  }

  /** NaN: the operation must overwrite every element. */
  public Tensor output(String name, long... extents) {
    outputs.add(name);
    float[] poison = new float[size(extents)];
    Arrays.fill(poison, Float.NaN);
    return floats(name, poison, extents);
  }

  /** NaN: the operation overwrites some elements, and must leave the rest. */
  public Tensor partialOutput(String name, long... extents) {
    partial.add(name);
    return output(name, extents);
  }

  /** Numbers in [0, bound). */
  public Tensor indices(String name, int bound, long... extents) {
    return integers(
        name, new Random(name.hashCode()).ints(size(extents), 0, bound).toArray(), extents);
  }

  public Tensor integers(String name, int[] values, long... extents) {
    Tensor memory = backend.allocate(DType.INT32, shape(values.length + 2 * guard));
    int[] all = new int[values.length + 2 * guard];
    Arrays.fill(all, INT_GUARD_WORD);
    System.arraycopy(values, 0, all, guard, values.length);
    backend.write(memory, all);
    return keep(name, memory, extents);
  }

  /** Values of the tensors after another operation ran on the Java reference. */
  public static Map<String, float[]> reference(Function<Workspace, Operation> operation) {
    return reference(operation, Map.of());
  }

  static Map<String, float[]> reference(
      Function<Workspace, Operation> operation, Map<String, float[]> overrides) {
    try (JavaBackend java = new JavaBackend();
        Workspace workspace = new Workspace(java, overrides)) {
      java.run(operation.apply(workspace));
      return workspace.read();
    }
  }

  /** Standard normal values that go with a name. */
  public static float[] normal(String name, long... extents) {
    int size = size(extents);
    float[] drawn = DRAWN.getOrDefault(name, new float[0]);
    if (drawn.length >= size) {
      return Arrays.copyOf(drawn, size);
    }
    Random random = new Random(name.hashCode());
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    if (size <= LONGEST_KEPT) {
      DRAWN.put(name, values.clone());
    }
    return values;
  }

  private Tensor floats(String name, float[] values, long... extents) {
    if (!isBfloat16(name)) {
      return keep(name, written(values), extents);
    }
    short[] rounded = new short[values.length];
    float[] widened = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      rounded[i] = BFloat16.round(values[i]);
      widened[i] = BFloat16.widen(rounded[i]);
    }
    return keep(name, exact ? written(widened) : written(rounded), extents);
  }

  private Tensor written(float[] values) {
    Tensor memory = backend.floats(values.length + 2 * guard);
    float[] all = new float[values.length + 2 * guard];
    Arrays.fill(all, GUARD_WORD);
    System.arraycopy(values, 0, all, guard, values.length);
    backend.write(memory, all);
    return memory;
  }

  private Tensor written(short[] values) {
    Tensor memory = backend.allocate(DType.BFLOAT16, shape(values.length + 2 * guard));
    ByteBuffer all = bytes(memory);
    ShortBuffer halves = all.asShortBuffer();
    while (halves.hasRemaining()) {
      halves.put(HALF_GUARD_WORD);
    }
    halves.put(guard, values);
    backend.write(memory, all);
    return memory;
  }

  private static ByteBuffer bytes(Tensor memory) {
    return ByteBuffer.allocateDirect(Math.toIntExact(memory.bytes()))
        .order(ByteOrder.nativeOrder());
  }

  private Tensor keep(String name, Tensor memory, long... extents) {
    Tensor tensor = memory.view(guard, extents);
    slots.put(name, new Slot(memory, tensor));
    return tensor;
  }

  private static Shape shape(long size) {
    return Shape.of(size);
  }

  private static int size(long... extents) {
    return Math.toIntExact(Shape.of(extents).size());
  }

  /** Whether the operation may change the tensor. */
  boolean isOutput(String name) {
    return outputs.contains(name);
  }

  /** Whether the operation may leave elements of this output as they were. */
  boolean isPartial(String name) {
    return partial.contains(name);
  }

  /** Bytes that one run has to move: each tensor once, those that it updates in place twice. */
  public long bytes() {
    return slots.entrySet().stream()
        .mapToLong(
            slot -> slot.getValue().tensor().bytes() * (updated.contains(slot.getKey()) ? 2 : 1))
        .sum();
  }

  /**
   * The fp32 and bf16 tensors by name.
   *
   * @throws AssertionError if a guard word was overwritten
   */
  Map<String, float[]> read() {
    Map<String, float[]> values = new LinkedHashMap<>();
    slots.forEach(
        (name, slot) -> {
          if (slot.memory().dtype() != DType.INT32) {
            boolean half = slot.memory().dtype() == DType.BFLOAT16;
            float[] all = half ? readHalves(slot.memory()) : backend.readFloats(slot.memory());
            checkGuards(name, all, half ? BFloat16.widen(HALF_GUARD_WORD) : GUARD_WORD);
            values.put(name, Arrays.copyOfRange(all, guard, all.length - guard));
          }
        });
    return values;
  }

  private float[] readHalves(Tensor memory) {
    ByteBuffer bytes = bytes(memory);
    backend.read(memory, bytes);
    bytes.clear();
    float[] values = new float[Math.toIntExact(memory.size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = BFloat16.widen(bytes.getShort(i * Short.BYTES));
    }
    return values;
  }

  private void checkGuards(String name, float[] all, float word) {
    int expected = Float.floatToRawIntBits(word);
    for (int i = 0; i < guard; i++) {
      if (Float.floatToRawIntBits(all[i]) != expected
          || Float.floatToRawIntBits(all[all.length - 1 - i]) != expected) {
        throw new AssertionError(name + ": a guard word " + i + " from an end was overwritten");
      }
    }
  }

  @Override
  public void close() {
    slots.values().forEach(slot -> slot.memory().close());
  }
}
