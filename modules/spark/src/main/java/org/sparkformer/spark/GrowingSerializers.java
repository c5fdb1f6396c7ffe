package org.sparkformer.spark;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Kryo's own serializers take memory for as many elements as a length announces; these take it as
 * the elements come, so that a few bytes cost a reader no gigabytes. A length is stored plus one, 0
 * is null.
 */
final class GrowingSerializers {
  private static final int FIRST_CAPACITY = 64;

  private GrowingSerializers() {}

  /** Reads at most so many elements as yet: the announced length may be a lie. */
  private static int length(Input input) {
    int length = input.readVarInt(true) - 1;
    if (length < -1) {
      throw new KryoException("no length of an array or a string: " + length);
    }
    return length;
  }

  /** Characters one by one, 1 to 3 bytes each: any string comes back as it was. */
  static final class OfString extends Serializer<String> {
    OfString() {
      super(true, true);
    }

    @Override
    public void write(Kryo kryo, Output output, String text) {
      output.writeVarInt(text == null ? 0 : text.length() + 1, true);
      for (int i = 0; text != null && i < text.length(); i++) {
        output.writeVarInt(text.charAt(i), true);
      }
    }

    @Override
    public String read(Kryo kryo, Input input, Class<String> type) {
      int length = length(input);
      StringBuilder text = new StringBuilder();
      while (text.length() < length) {
        int character = input.readVarInt(true);
        if (character < 0 || character > Character.MAX_VALUE) {
          throw new KryoException("no character: " + character);
        }
        text.append((char) character);
      }
      return length < 0 ? null : text.toString();
    }
  }

  /** Arrays of objects, each element with its class. */
  static final class OfObjects extends Serializer<Object[]> {
    OfObjects() {
      super(true);
    }

    @Override
    public void write(Kryo kryo, Output output, Object[] array) {
      output.writeVarInt(array == null ? 0 : array.length + 1, true);
      for (int i = 0; array != null && i < array.length; i++) {
        kryo.writeClassAndObject(output, array[i]);
      }
    }

    @Override
    public Object[] read(Kryo kryo, Input input, Class<Object[]> type) {
      int length = length(input);
      List<Object> elements = new ArrayList<>();
      while (elements.size() < length) {
        elements.add(kryo.readClassAndObject(input));
      }
      return length < 0 ? null : array(elements, type.getComponentType());
    }

    private static Object[] array(List<Object> elements, Class<?> component) {
      try {
        return elements.toArray((Object[]) Array.newInstance(component, 0));
      } catch (ArrayStoreException other) {
        throw new KryoException("an array of " + component.getName() + " with others in it", other);
      }
    }
  }

  /** Eight bytes an element. */
  static final class OfLongs extends Serializer<long[]> {
    OfLongs() {
      super(true);
    }

    @Override
    public void write(Kryo kryo, Output output, long[] array) {
      output.writeVarInt(array == null ? 0 : array.length + 1, true);
      if (array != null) {
        output.writeLongs(array);
      }
    }

    @Override
    public long[] read(Kryo kryo, Input input, Class<long[]> type) {
      int length = length(input);
      long[] array = new long[Math.min(Math.max(length, 0), FIRST_CAPACITY)];
      for (int i = 0; i < length; i++) {
        if (i == array.length) {
          array = Arrays.copyOf(array, (int) Math.min(length, 2L * array.length));
        }
        array[i] = input.readLong();
      }
      return length < 0 ? null : array;
    }
  }

  /** Bytes, read in pieces. */
  static final class OfBytes extends Serializer<byte[]> {
    private static final int PIECE = 1 << 16;

    OfBytes() {
      super(true);
    }

    @Override
    public void write(Kryo kryo, Output output, byte[] array) {
      output.writeVarInt(array == null ? 0 : array.length + 1, true);
      if (array != null) {
        output.writeBytes(array);
      }
    }

    @Override
    public byte[] read(Kryo kryo, Input input, Class<byte[]> type) {
      int length = length(input);
      byte[] array = new byte[Math.min(Math.max(length, 0), PIECE)];
      for (int read = 0; read < length; ) {
        if (read == array.length) {
          array = Arrays.copyOf(array, (int) Math.min(length, 2L * array.length));
        }
        int count = array.length - read;
        input.readBytes(array, read, count);
        read += count;
      }
      return length < 0 ? null : array;
    }
  }
}
