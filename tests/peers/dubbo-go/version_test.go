//go:build !rc2

package main

// sendsDetails: whether a failure keeps its details.
const sendsDetails = false

// failedUploadPanics: whether dubbo-go panics where a client-stream handler fails.
const failedUploadPanics = false

// unknownGroupDropsTheCall: whether dubbo-go panics where nothing is registered for the group or version asked for.
const unknownGroupDropsTheCall = false
