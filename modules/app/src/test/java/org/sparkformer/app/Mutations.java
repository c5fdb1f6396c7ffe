package org.sparkformer.app;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** What a hostile or broken writer makes of a file, by the name of the mutation. */
final class Mutations {
  private static final int DEEP = 200_000;
  private static final String NUMBER = "(?<=: ?)-?\\d+(?=\\s*[,}\\n])";

  private final Random random;

  Mutations(Random random) {
    this.random = random;
  }

  /** Of a file of any kind. */
  Map<String, byte[]> ofAny(byte[] whole) {
    Map<String, byte[]> mutations = new LinkedHashMap<>();
    mutations.put("empty", new byte[0]);
    mutations.put("cut", Arrays.copyOf(whole, 1 + random.nextInt(whole.length - 1)));
    byte[] garbage = new byte[whole.length];
    random.nextBytes(garbage);
    mutations.put("garbage", garbage);
    return mutations;
  }

  Map<String, byte[]> ofJson(byte[] whole) {
    String json = new String(whole, StandardCharsets.UTF_8);
    Map<String, byte[]> mutations = ofAny(whole);
    mutations.put("deep", bytes("[".repeat(DEEP)));
    mutations.put("deeper", bytes("{\"model\":".repeat(DEEP)));
    for (String number : new String[] {"2147483647", "9223372036854775807", "-1", "1e999"}) {
      mutations.put("all-" + number, bytes(json.replaceAll(NUMBER, number)));
    }
    return mutations;
  }

  /** One number at a time as large as an int. */
  Map<String, byte[]> ofNumbers(byte[] whole, String... keys) {
    String json = new String(whole, StandardCharsets.UTF_8);
    Map<String, byte[]> mutations = new LinkedHashMap<>();
    for (String key : keys) {
      String large = json.replaceFirst("(\"" + key + "\" ?: ?)\\d+", "$12147483647");
      if (large.equals(json)) {
        throw new IllegalArgumentException("no number " + key + " in " + json);
      }
      mutations.put(key, bytes(large));
    }
    return mutations;
  }

  Map<String, byte[]> ofSafetensors(byte[] whole) {
    Map<String, byte[]> mutations = ofAny(whole);
    long[] lengths = {Integer.MAX_VALUE, 1L << 31, Long.MAX_VALUE, Long.MIN_VALUE, -1};
    for (long length : lengths) {
      byte[] mutated = whole.clone();
      little(mutated).putLong(0, length);
      mutations.put("length-" + length, mutated);
    }
    String header =
        new String(whole, 8, (int) little(whole).getLong(0), StandardCharsets.UTF_8).strip();
    mutations.put("deep", safetensors("[".repeat(DEEP), whole));
    mutations.put("offset", safetensors(header.replaceFirst("0,", "9223372036854775807,"), whole));
    mutations.put("shape", safetensors(shaped(header, "2147483647,2147483647"), whole));
    mutations.put("shapes", safetensors(shaped(header, "0,".repeat(DEEP) + "1"), whole));
    return mutations;
  }

  private static String shaped(String header, String shape) {
    return header.replaceFirst("\"shape\":\\[[^]]*]", "\"shape\":[" + shape + "]");
  }

  private static byte[] safetensors(String header, byte[] whole) {
    byte[] text = bytes(header);
    int data = 8 + (int) little(whole).getLong(0);
    byte[] mutated = new byte[8 + text.length + whole.length - data];
    little(mutated).putLong(text.length).put(text).put(whole, data, whole.length - data);
    return mutated;
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
