package org.sparkformer.spark.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.FileRegion;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.security.GeneralSecurityException;
import javax.crypto.spec.SecretKeySpec;
import org.apache.spark.network.crypto.GcmTransportCipher;

/**
 * Finds out whether this Spark's AES/GCM carries more than one message: releases with SPARK-56227
 * (4.1.0 among them) silently drop every message after a connection's first. Trying it is surer
 * than a list of versions.
 */
final class GcmProbe {
  private static final int MESSAGES = 3;
  private static final int KEY_BYTES = 16;

  private GcmProbe() {}

  /** Whether several messages, some of them joined in one packet, all come out again. */
  static boolean carriesSeveralMessages() {
    GcmTransportCipher cipher =
        new GcmTransportCipher(new SecretKeySpec(new byte[KEY_BYTES], "AES"));
    EmbeddedChannel sender = new EmbeddedChannel();
    EmbeddedChannel receiver = new EmbeddedChannel();
    try {
      cipher.addToChannel(sender);
      cipher.addToChannel(receiver);
      receiver.writeInbound(Unpooled.wrappedBuffer(encrypted(sender)));
      receiver.writeInbound(Unpooled.wrappedBuffer(encrypted(sender)));
      return received(receiver) == 2 * MESSAGES;
    } catch (GeneralSecurityException unavailable) {
      throw new IllegalStateException("this Java runtime lacks AES/GCM", unavailable);
    } finally {
      sender.finishAndReleaseAll();
      receiver.finishAndReleaseAll();
    }
  }

  /** Some one-byte messages as they go over the wire. */
  private static byte[] encrypted(EmbeddedChannel sender) {
    ByteArrayOutputStream wire = new ByteArrayOutputStream();
    WritableByteChannel target = Channels.newChannel(wire);
    for (int i = 0; i < MESSAGES; i++) {
      sender.writeOutbound(Unpooled.wrappedBuffer(new byte[] {1}));
      FileRegion message = sender.readOutbound();
      try {
        while (message.transferred() < message.count()) {
          message.transferTo(target, message.transferred());
        }
      } catch (IOException impossible) {
        throw new UncheckedIOException(impossible);
      }
    }
    return wire.toByteArray();
  }

  private static int received(EmbeddedChannel receiver) {
    int bytes = 0;
    for (ByteBuf part = receiver.readInbound(); part != null; part = receiver.readInbound()) {
      bytes += part.readableBytes();
      part.release();
    }
    return bytes;
  }
}
