package org.sparkformer.tensor.reference;

import java.nio.ByteBuffer;
import java.util.function.LongConsumer;
import org.sparkformer.tensor.BFloat16;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Storage;
import org.sparkformer.tensor.Tensor;

/**
 * Memory of the Java backend: a {@code float[]}, an {@code int[]}, or a {@code short[]} of bf16.
 */
final class ArrayStorage extends Storage {
  private final Object array;
  private final LongConsumer account;

  ArrayStorage(DType dtype, long size, LongConsumer account) {
    super(size * dtype.bytes());
    this.account = account;
    this.array =
        switch (dtype) {
          case FLOAT32 -> new float[Math.toIntExact(size)];
          case INT32 -> new int[Math.toIntExact(size)];
          case BFLOAT16 -> new short[Math.toIntExact(size)];
        };
    account.accept(bytes());
  }

  static ArrayStorage of(Tensor tensor) {
    if (tensor.storage() instanceof ArrayStorage storage) {
      return storage;
    }
    throw new IllegalArgumentException("tensor " + tensor.shape() + " is of another backend");
  }

  Object array() {
    return array;
  }

  /** The whole array where the tensor covers it, else a copy of its part; of bf16 as fp32. */
  Object get(Tensor tensor) {
    int size = Math.toIntExact(tensor.size());
    if (array instanceof short[] halves) {
      return widened(halves, Math.toIntExact(tensor.offset()), size);
    }
    if (tensor.bytes() == bytes()) {
      return array;
    }
    Object part = array instanceof float[] ? new float[size] : new int[size];
    System.arraycopy(array, Math.toIntExact(tensor.offset()), part, 0, size);
    return part;
  }

  private static float[] widened(short[] halves, int first, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = BFloat16.widen(halves[first + i]);
    }
    return values;
  }

  /** Takes what {@link #get} gave back; bf16 is rounded. */
  void set(Tensor tensor, Object part) {
    int first = Math.toIntExact(tensor.offset());
    if (array instanceof short[] halves) {
      float[] values = (float[]) part;
      for (int i = 0; i < values.length; i++) {
        halves[first + i] = BFloat16.round(values[i]);
      }
    } else {
      System.arraycopy(part, 0, array, first, Math.toIntExact(tensor.size()));
    }
  }

  void write(Tensor tensor, ByteBuffer source) {
    int offset = Math.toIntExact(tensor.offset());
    int size = Math.toIntExact(tensor.size());
    if (array instanceof float[] floats) {
      source.asFloatBuffer().get(floats, offset, size);
    } else if (array instanceof short[] halves) {
      source.asShortBuffer().get(halves, offset, size);
    } else {
      source.asIntBuffer().get((int[]) array, offset, size);
    }
  }

  void read(Tensor tensor, ByteBuffer destination) {
    int offset = Math.toIntExact(tensor.offset());
    int size = Math.toIntExact(tensor.size());
    if (array instanceof float[] floats) {
      destination.asFloatBuffer().put(floats, offset, size);
    } else if (array instanceof short[] halves) {
      destination.asShortBuffer().put(halves, offset, size);
    } else {
      destination.asIntBuffer().put((int[]) array, offset, size);
    }
  }

  @Override
  protected void release() {
    account.accept(-bytes());
  }
}
