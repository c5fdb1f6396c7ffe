package org.sparkformer.spark;

/**
 * Where a rank is, as it tells the others.
 *
 * @param process that it runs in
 * @param address that it listens on
 */
record RankPlace(String process, String address) {
  private static final char SEPARATOR = ' ';

  static RankPlace parse(String text) {
    int end = text.indexOf(SEPARATOR);
    return new RankPlace(text.substring(0, end), text.substring(end + 1));
  }

  String text() {
    return process + SEPARATOR + address;
  }
}
