package org.sparkformer.collective;

/** What a frame belongs to; its ordinal is on the wire. */
enum Operation {
  ALL_REDUCE("all-reduce"),
  REDUCE_SCATTER("reduce-scatter"),
  ALL_GATHER("all-gather"),
  BROADCAST("broadcast"),
  MESSAGES("all-gather of messages"),
  BARRIER("barrier"),
  /** A word from one rank to another beside all operations. */
  NOTE("note"),
  /** What a rank is doing, told now and then beside all operations. */
  ACTIVITY("activity"),
  /** A rank leaves: the payload says why, or is empty when it is done. */
  FAREWELL("farewell");

  private static final Operation[] BY_CODE = values();

  private final String title;

  Operation(String title) {
    this.title = title;
  }

  static Operation of(int code) throws DamagedFrameException {
    if (code < 0 || code >= BY_CODE.length) {
      throw new DamagedFrameException("unknown operation " + code);
    }
    return BY_CODE[code];
  }

  @Override
  public String toString() {
    return title;
  }
}
