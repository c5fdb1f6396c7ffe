/**
 * Gradients between executors and news to the driver, both over Spark's own network layer, so that
 * whatever authentication and encryption the cluster has configured for Spark covers them too.
 *
 * <p>{@link org.sparkformer.spark.transport.SparkTransport}: one connection for each pair of ranks,
 * or several ({@code training.connections}), over which frames go in turn ({@code PeerLink}). A
 * connection counts for nothing until its greeting names run, attempt and rank; frames are one-way
 * messages from then on, after the number of each, which {@code FrameReader} puts into the
 * receiver's memory before Spark collects them. An empty one says that it is the last; a connection
 * that ends without is the end of the peer at once, and so is a number that is not due. {@link
 * org.sparkformer.spark.transport.DriverLink}: lines of text from ranks to the driver. Nothing here
 * deserialises Java objects. Before its greeting is accepted a caller may send eight messages of 8
 * KiB and take a minute; afterwards a message may hold a frame ({@code FrameLimit}). A length
 * within a message that says more than there is ends the connection before Spark allocates for it
 * ({@code InnerLengths}).
 *
 * <p>Encryption: TLS ({@code spark.ssl.rpc}) is served. Of {@code spark.network.crypto} only
 * AES/GCM with version 2 of the key exchange and no SASL fallback is, and only where this Spark's
 * AES/GCM works: 4.1.0 drops every message after a connection's first (SPARK-56227), which is found
 * out by trying.
 */
package org.sparkformer.spark.transport;
