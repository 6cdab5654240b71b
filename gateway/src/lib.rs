//! Brings full-duplex gRPC and Dubbo Triple to browsers.
