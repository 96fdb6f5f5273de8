"""FCM HTTP v1: apps on Android, on Apple's systems and in browsers that registered with Firebase."""
