package org.sparkformer.spark.transport;

/** {@code host:port}; the host may be an IPv6 address in brackets. */
final class Addresses {
  private Addresses() {}

  static String format(String host, int port) {
    return host + ":" + port;
  }

  static String host(String address) {
    String host = address.substring(0, colon(address));
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    return bracketed ? host.substring(1, host.length() - 1) : host;
  }

  static int port(String address) {
    try {
      return Integer.parseInt(address.substring(colon(address) + 1));
    } catch (NumberFormatException notANumber) {
      throw new IllegalArgumentException("no port in address '" + address + "'", notANumber);
    }
  }

  private static int colon(String address) {
    int colon = address.lastIndexOf(':');
    if (colon <= 0) {
      throw new IllegalArgumentException("an address is host:port, got '" + address + "'");
    }
    return colon;
  }
}
