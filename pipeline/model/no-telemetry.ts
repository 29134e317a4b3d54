/**
 * Keeps onnxruntime from collecting and sending usage data, which releases from 1.30 on do on Linux unless told
 * otherwise, and from leaving a log in the temporary folder for every process. To be imported before it: it looks
 * once, when it is loaded.
 */

process.env.ORT_DISABLE_TELEMETRY = '1';
