package tracker
import ("testing";"os")
func BenchmarkZZ(b *testing.B){
	at:=os.Getenv("ZZ")
	b.SetParallelism(8)
	var h [20]byte
	for i:=range h {h[i]=0xa7}
	b.RunParallel(func(pb *testing.PB){
		p:=dialUDP(b,at)
		packet:=appendUDPAnnounce(nil,p.id,1,&Request{InfoHash:h,Port:1,Event:EventStopped})
		reply:=make([]byte,2048)
		for pb.Next(){ if _,err:=p.Write(packet);err!=nil{b.Error(err);return}; if n,err:=p.Read(reply);err!=nil||n<20{b.Error(n,err);return}}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(),"announces/s")
}
