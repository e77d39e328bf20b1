//go:build !linux

package doctor

// What only Linux tells in a way that this package knows.

func owners(Port) []program { return nil }

func synchronised() sync { return syncUnknown }

func descriptors() limit { return limit{} }

func statDisk(string) volume { return volume{} }

func pathMTU(uintptr) int { return 0 }

func hashInstructions() instructions { return instructions{} }

func measureMemory() memory { return memory{} }
