// Package store keeps one torrent's bytes in files on a real disk.
//
// # Model
//
// A torrent is one run of bytes, cut into pieces on one side and into files on
// the other. A block of a v2 torrent is proven when it agrees with its leaf in the
// hash tree; it can be read from then on. A piece is verified when its bytes were written after they had
// been held against its hash, and durable when an fsync has followed. The
// resume file names durable pieces only.
//
// The hash is the SHA-1 of v1, the merkle root of SHA-256 of v2, or both: a
// piece of a hybrid torrent that agrees with one of them only is an
// [ErrInconsistent]. With v2 alone the run of bytes has gaps, between the end of
// a file and the next piece, which no piece reaches into; no SHA-1 is called.
// Padding files are bytes of the run too, but zeros that are on no disk: what is
// read of them comes from memory, what is written is compared and dropped.
//
// For a torrent named N in the directory D:
//
//	D/N.part                   work in progress: a file, or a tree of files
//	D/N                        the same thing, renamed when all of it is durable
//	D/.starling/HASH/resume    which pieces are durable; HASH is the info-hash
//	D/.starling/HASH/lock      held while a process writes
//	D/.starling/HASH/side      bytes of shared pieces that lie in unwanted files
//	D/.starling/KEY.owner      held too; names the torrent whose data N.part is
//
// Whoever reads D/N never sees a part of it: one rename publishes. Right before
// it executable files get their rights and symbolic links are made, of which
// none leads outside of D/N or by way of another. The owner file exists because
// two torrents may have one name. When the second adopts the first one's N.part,
// the first one's resume file must not be believed.
//
// # Order of writes
//
// What a crash can take is decided by four orders. Data, fsync, then the bit
// in the resume file. A resume file that claims nothing, then the owner file,
// then data. The resume file with the size and time of every file ("sealed"),
// then the rename to D/N. The rename back to D/N.part, an unsealed resume
// file, then data. An fsync that fails means that what it was for is lost:
// those pieces stop being verified and a [SyncError] names them.
//
// A piece that [Store.Recheck] finds wrong at the final path is written in its place:
// whoever reads there has the wrong bytes already, and a rename would take the right
// ones from him too. Before the first such write the resume file vouches for nothing
// and forgets the times of the files that are to be written to; after the last one,
// when all is durable, it has them again. A file that somebody else has changed is
// an [ErrEdited].
//
// # Use
//
// [Open], then [Store.Resumed]. If that is not trusted, [Store.Check]. Then
// any number of goroutines put pieces ([Store.PutPiece], or [Store.PutBlock] or
// [Store.PutProven] and [Store.VerifyPiece]) and read them ([Store.Section]), while one calls
// [Store.Sync] from time to time, before [Store.Dirty] is more than a crash may
// cost, and [Store.Finish] in the end. With Config.ReadOnly a Store serves what
// is there and never writes data. [Scan], [HashPieces] and [HashAligned] read a
// tree before a torrent of it exists.
//
// The session and the commands call this package. It knows nothing of peers,
// of requests or of torrent files, it starts no goroutine that outlives a
// call, and it does not validate names beyond what keeps it safe (package
// metainfo does): behind every path stands an [os.Root].
//
// It runs on Linux and on the BSDs, macOS included. Holes, syncfs and the
// atomic swap of two names are used where Linux offers them, and hashing there
// reads the page cache in place.
package store
