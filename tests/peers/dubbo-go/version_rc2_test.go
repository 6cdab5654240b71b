//go:build rc2

package main

const sendsDetails = true

const failedUploadPanics = true

const unknownGroupDropsTheCall = true
