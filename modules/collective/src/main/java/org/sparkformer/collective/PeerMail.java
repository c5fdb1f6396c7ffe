package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Frames of one peer that no operation has taken yet. Guarded by the {@link Inbox}'s lock. */
final class PeerMail {
  /** An honest peer posts a note a checkpoint. */
  private static final int MOST_NOTES = 64;

  private final BufferPool pool;
  private final long limitBytes;
  private final Map<FrameKey, Inbox.Mail> waiting = new HashMap<>();
  private final Set<FrameKey> seen = new HashSet<>();
  private final Deque<byte[]> notes = new ArrayDeque<>();
  private long lastNote = -1;
  private long waitingBytes;
  private long latest = -1;
  private String departure;

  PeerMail(BufferPool pool, long limitBytes) {
    this.pool = pool;
    this.limitBytes = limitBytes;
  }

  /** Keeps a frame unless it is a repetition. */
  boolean put(FrameHeader header, ByteBuffer payload) {
    if (!seen.add(header.key())) {
      return false;
    }
    latest = Math.max(latest, header.key().sequence());
    waitingBytes += payload.remaining() + FrameCodec.HEADER_BYTES;
    waiting.put(header.key(), new Inbox.Mail(header, payload));
    return true;
  }

  /** How many bytes wait here, once they are more than an honest peer sends. */
  Optional<Long> excess() {
    return waitingBytes > limitBytes ? Optional.of(waitingBytes) : Optional.empty();
  }

  Optional<Inbox.Mail> take(FrameKey key) {
    Inbox.Mail mail = waiting.remove(key);
    if (mail != null) {
      waitingBytes -= mail.payload().remaining() + FrameCodec.HEADER_BYTES;
    }
    return Optional.ofNullable(mail);
  }

  /** Keeps a note unless it is a repetition; returns a reason when the peer sends too much. */
  Optional<String> putNote(FrameHeader header, ByteBuffer payload) {
    if (header.key().sequence() <= lastNote) {
      return Optional.empty();
    }
    lastNote = header.key().sequence();
    if (payload.remaining() > Collective.LARGEST_NOTE || notes.size() == MOST_NOTES) {
      return Optional.of("rank " + header.sender() + " posted too long or too many notes");
    }
    byte[] note = new byte[payload.remaining()];
    payload.get(note);
    notes.add(note);
    return Optional.empty();
  }

  Optional<byte[]> takeNote() {
    return Optional.ofNullable(notes.poll());
  }

  /** Drops frames of operations up to {@code sequence}, and the memory of having seen them. */
  void forgetUpTo(long sequence) {
    seen.removeIf(key -> key.sequence() <= sequence);
    Iterator<Inbox.Mail> mails = waiting.values().iterator();
    while (mails.hasNext()) {
      Inbox.Mail mail = mails.next();
      if (mail.header().key().sequence() <= sequence) {
        waitingBytes -= mail.payload().remaining() + FrameCodec.HEADER_BYTES;
        pool.release(mail.payload());
        mails.remove();
      }
    }
  }

  /** The operation of a waiting frame that is not the one its number stands for here. */
  Optional<Operation> firstThatContradicts(CurrentOperation current) {
    return waiting.values().stream()
        .map(Inbox.Mail::header)
        .filter(current::contradicts)
        .map(FrameHeader::operation)
        .findFirst();
  }

  /** Newest operation that the peer has been heard in. */
  long latest() {
    return latest;
  }

  void depart(String reason) {
    departure = reason;
  }

  /** Set once the peer has said that it leaves. */
  Optional<String> departure() {
    return Optional.ofNullable(departure);
  }
}
