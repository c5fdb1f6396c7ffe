package org.sparkformer.tensor.reference;

import java.nio.ByteBuffer;
import java.util.function.LongConsumer;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Storage;
import org.sparkformer.tensor.Tensor;

/** Memory of the Java backend: a {@code float[]} or {@code int[]}. */
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
          case BFLOAT16 ->
              throw new IllegalArgumentException("the Java backend has no bf16 memory yet");
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

  /** The whole array where the tensor covers it, else a copy of its part. */
  Object get(Tensor tensor) {
    if (tensor.bytes() == bytes()) {
      return array;
    }
    int size = Math.toIntExact(tensor.size());
    Object part = array instanceof float[] ? new float[size] : new int[size];
    System.arraycopy(array, Math.toIntExact(tensor.offset()), part, 0, size);
    return part;
  }

  void set(Tensor tensor, Object part) {
    System.arraycopy(
        part, 0, array, Math.toIntExact(tensor.offset()), Math.toIntExact(tensor.size()));
  }

  void write(Tensor tensor, ByteBuffer source) {
    int offset = Math.toIntExact(tensor.offset());
    int size = Math.toIntExact(tensor.size());
    if (array instanceof float[] floats) {
      source.asFloatBuffer().get(floats, offset, size);
    } else {
      source.asIntBuffer().get((int[]) array, offset, size);
    }
  }

  void read(Tensor tensor, ByteBuffer destination) {
    int offset = Math.toIntExact(tensor.offset());
    int size = Math.toIntExact(tensor.size());
    if (array instanceof float[] floats) {
      destination.asFloatBuffer().put(floats, offset, size);
    } else {
      destination.asIntBuffer().put((int[]) array, offset, size);
    }
  }

  @Override
  protected void release() {
    account.accept(-bytes());
  }
}
