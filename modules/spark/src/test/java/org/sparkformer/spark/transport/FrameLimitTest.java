package org.sparkformer.spark.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import org.apache.spark.network.util.TransportFrameDecoder;
import org.junit.jupiter.api.Test;

final class FrameLimitTest {
  private static final long NOTHING_SCHEDULED = -1;

  @Test
  void whoSaysNothingIsHungUpOnInTime() {
    EmbeddedChannel channel = guarded(false);
    channel.advanceTimeBy(FrameLimit.STRANGERS_SECONDS, TimeUnit.SECONDS);
    channel.runScheduledPendingTasks();
    assertFalse(channel.isOpen());
  }

  @Test
  void whoHasGreetedIsLeftAlone() {
    EmbeddedChannel channel = guarded(true);
    channel.advanceTimeBy(FrameLimit.STRANGERS_SECONDS, TimeUnit.SECONDS);
    channel.runScheduledPendingTasks();
    assertTrue(channel.isOpen());
  }

  /** What is scheduled holds the channel. */
  @Test
  void nothingIsKeptOfAStrangerWhoHasHungUp() {
    EmbeddedChannel channel = guarded(false);
    assertTrue(channel.runScheduledPendingTasks() > 0);
    channel.pipeline().close(); // The channel itself would drop all that is scheduled.
    assertEquals(NOTHING_SCHEDULED, channel.runScheduledPendingTasks());
  }

  private static EmbeddedChannel guarded(boolean greeted) {
    EmbeddedChannel channel = new EmbeddedChannel();
    channel.pipeline().addLast(TransportFrameDecoder.HANDLER_NAME, new TransportFrameDecoder());
    FrameLimit.guard(channel, () -> greeted);
    return channel;
  }
}
